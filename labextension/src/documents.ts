/**
 * Opens runs and comparisons in the main area, each once, and again after the page is reloaded.
 */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import {
  MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { ITranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import { TabPanel } from '@lumino/widgets';

import type { IApi } from './api';
import { CommandIDs } from './commands';
import type { ProjectPage } from './sections/project';
import { panelIcon } from './icons';
import type { ICell, IRun } from './tokens';
import { readProblem, TRANSLATION_DOMAIN } from './tokens';

/** Longer names make tabs that hide all others. */
const LONGEST_TITLE = 40;

/** What a document shows, as a command's arguments: runs, or a registered model. */
export type DocumentArgs = {
  readonly runIds: string[];
  readonly names: string[];
  readonly notebook: string;
  readonly model?: string;
  /** All runs and models of the folder that the server serves. */
  readonly project?: boolean;
};

/** The documents in the main area. */
export class Documents {
  constructor(options: Documents.IOptions) {
    this._options = options;
  }

  /** Register the commands, and bring back what was open. */
  restore(restorer: ILayoutRestorer | null): void {
    void restorer?.restore(this._tracker, {
      command: CommandIDs.openDocument,
      args: widget => Private.read(widget),
      name: widget => widget.id
    });
  }

  /**
   * Show one run, two and more side by side, or a registered model.
   *
   * @param args - what, what it is called, and the notebook whose project's store keeps it
   */
  async open(args: DocumentArgs): Promise<void> {
    const id = Private.identify(args);
    const known = this._tracker.find(widget => widget.id === id);
    if (known) {
      this._show(known);
      return;
    }
    // A second press, while the code of the page is on its way, is about the same page.
    if (this._coming.has(id)) {
      return;
    }
    this._coming.add(id);
    try {
      await this._add(id, args);
    } catch (error) {
      const trans = this._options.translator.load(TRANSLATION_DOMAIN);
      Notification.error(
        trans.__(
          '%1 could not be opened: %2',
          this._describe(args),
          readProblem(error).message
        )
      );
    } finally {
      this._coming.delete(id);
    }
  }

  private async _add(id: string, args: DocumentArgs): Promise<void> {
    const { app } = this._options;
    const [content] = await Promise.all([this._make(args), import('./styles')]);
    const widget = new MainAreaWidget({ content });
    // After the frame, which calls every content the same.
    content.node.setAttribute('role', 'region');
    content.node.setAttribute('aria-label', this._describe(args));
    widget.addClass('jp-MLOpsDocument');
    widget.toolbar.hide();
    widget.id = id;
    widget.title.icon = panelIcon;
    widget.title.label = this._name(args);
    widget.title.caption = args.names.join(', ');
    widget.title.closable = true;
    Private.remember(widget, args);
    // Notebook 7 has room for one document only, but an area below it.
    app.shell.add(widget, this._options.hasMainArea ? 'main' : 'down');
    await this._tracker.add(widget);
    this._show(widget);
  }

  /** Bring a document to the front. */
  private _show(widget: Widget): void {
    this._options.app.shell.activateById(widget.id);
    // Notebook 7 shows its lower area, and there whichever document came first.
    const area = widget.parent?.parent;
    if (!this._options.hasMainArea && area instanceof TabPanel) {
      area.currentWidget = widget;
    }
  }

  private _name({ names, model, project }: DocumentArgs): string {
    const trans = this._options.translator.load(TRANSLATION_DOMAIN);
    if (project) {
      return trans.__('All runs and models');
    }
    const [first = ''] = names;
    const text =
      names.length < 2
        ? (model ?? first)
        : trans.__('Compare %1 runs', names.length);
    return text.length > LONGEST_TITLE
      ? `${text.slice(0, LONGEST_TITLE - 1)}…`
      : text;
  }

  private _describe({ names, model, project }: DocumentArgs): string {
    const trans = this._options.translator.load(TRANSLATION_DOMAIN);
    if (project) {
      return trans.__('All runs and models');
    }
    if (model !== undefined) {
      return trans.__('Model %1', model);
    }
    return names.length === 1
      ? trans.__('Run %1', names[0])
      : trans.__('Comparison of %1', names.join(', '));
  }

  private async _make(args: DocumentArgs): Promise<Widget> {
    const { api, translator } = this._options;
    const { runIds, notebook } = args;
    const onOpen = (runId: string, name: string) =>
      void this.open({ runIds: [runId], names: [name], notebook });
    const { model } = args;
    if (args.project) {
      const { ProjectPage } = await import('./sections/project');
      return new ProjectPage({ api, translator, opener: this._opener });
    }
    if (model !== undefined) {
      const { ModelPage } = await import('./sections/modelpage');
      return new ModelPage({
        api,
        place: { model, notebook },
        translator,
        onOpenRun: onOpen,
        onCompareRuns: versions =>
          void this.open({
            runIds: versions.map(version => version.run_id ?? ''),
            names: versions.map(({ name, version }) => `${name}/${version}`),
            notebook
          })
      });
    }
    const [runId] = runIds;
    if (runId !== undefined && runIds.length === 1) {
      const [{ RunPage }, { RunAgain }] = await Promise.all([
        import('./sections/runpage'),
        import('./runagain')
      ]);
      const place = { runId, notebook };
      const { contents, kernels } = this._options.app.serviceManager;
      const onOpenFile = (path: string) => this._openFile(path);
      const folder = PathExt.dirname(notebook);
      return new RunPage({
        ...{ api, place, translator, onOpen, onOpenFile },
        onCompare: runs => this._compare(runs, notebook),
        makeAgain: onChanged =>
          new RunAgain({
            ...{ api, place, contents, kernels, folder, onOpenFile, onChanged }
          }),
        onOpenCells: (run, cells) => this._openCells(run, cells, notebook)
      });
    }
    const { ComparePage } = await import('./sections/compare');
    return new ComparePage({ api, runIds, notebook, translator, onOpen });
  }

  /** Opens what the page of the project lists. */
  private get _opener(): ProjectPage.IOpener {
    const show = (runs: readonly IRun[]) => this._compare(runs, '');
    return {
      openRun: run => show([run]),
      compareRuns: show,
      openModel: model =>
        void this.open({ runIds: [], names: [], notebook: '', model })
    };
  }

  /** Show one run, or some side by side. */
  private _compare(runs: readonly IRun[], notebook: string): void {
    void this.open({
      runIds: runs.map(run => run.run_id),
      names: runs.map(run => run.name),
      notebook
    });
  }

  private _openFile(path: string): void {
    void this._options.app.commands.execute('docmanager:open', { path });
  }

  /** Write cells into a notebook beside the one in view, and open it. */
  private async _openCells(
    run: IRun,
    cells: readonly ICell[],
    notebook: string
  ): Promise<void> {
    const { contents } = this._options.app.serviceManager;
    const { makeNotebook, nameNotebook, writeNotebook } =
      await import('./codebook');
    this._openFile(
      await writeNotebook(
        contents,
        PathExt.dirname(notebook),
        nameNotebook(run),
        makeNotebook(run, cells)
      )
    );
  }

  private readonly _options: Documents.IOptions;
  /** The ids of those that are not there yet. */
  private readonly _coming = new Set<string>();
  private readonly _tracker = new WidgetTracker<MainAreaWidget>({
    namespace: 'mlops-nb-documents'
  });
}

export namespace Documents {
  export interface IOptions {
    readonly app: JupyterFrontEnd;
    readonly api: IApi;
    readonly translator: ITranslator;
    /** Whether documents stand beside notebooks, as in JupyterLab. */
    readonly hasMainArea: boolean;
  }
}

namespace Private {
  const shown = new WeakMap<Widget, DocumentArgs>();

  /** The same thing gets the same document; models of two stores may have one name. */
  export function identify(args: DocumentArgs): string {
    const { runIds, notebook, model } = args;
    if (args.project) {
      return 'jp-mlops-project';
    }
    const folder = notebook.split('/').slice(0, -1).join('/');
    return model === undefined
      ? `jp-mlops-document-${runIds.join('-')}`
      : // Both may have a hyphen; the name of a model has no slash.
        `jp-mlops-model-${model}/${folder}`;
  }

  export function remember(widget: Widget, args: DocumentArgs): void {
    shown.set(widget, args);
  }

  export function read(widget: Widget): DocumentArgs {
    return shown.get(widget) ?? { runIds: [], names: [], notebook: '' };
  }
}
