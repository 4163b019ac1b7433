/**
 * The panel in the side area: stacks the sections and tells the model whether somebody looks.
 */
import { Notification } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { AccordionLayout, AccordionPanel, Widget } from '@lumino/widgets';

import { panelIcon } from './icons';
import type { RunChanges } from './changes';
import type { IApi } from './api';
import type { INotebookBridge } from './bridge';
import type { MLOpsModel } from './model';
import type { INotebookCells } from './notebookcells';
import type { ILive } from './sections/notebook';
import type { PipelineSection } from './sections/pipeline';
import type { RunsSection as Section } from './sections/runs';
import type { SectionName } from './sectionnames';
import { SECTION_IDS, SECTION_NAMES } from './sectionnames';
import type { PanelSettings } from './settings';
import type { IJobRequest } from './tokens';
import { readProblem, TRANSLATION_DOMAIN } from './tokens';

/** Lower sections show nothing that can be read. */
const LEAST_HEIGHT = 60;

/** The panel in the side area. */
export class MLOpsPanel extends SidePanel {
  constructor(options: MLOpsPanel.IOptions) {
    super({ translator: options.translator });
    const trans = options.translator.load(TRANSLATION_DOMAIN);
    this._model = options.model;
    this._options = options;
    this.id = MLOpsPanel.ID;
    this.addClass('jp-MLOpsPanel');
    this.title.icon = panelIcon;
    this.title.caption = trans.__('MLOps: runs of this notebook');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('MLOps'));
    options.settings?.changed.connect(this._onSettings, this);
  }

  /** Have the browser fetch what a person who opens the panel needs; ask while all is idle. */
  async prepare(): Promise<void> {
    await import('./sectioncode');
  }

  /** Unfold a section and give it the focus; one that the settings leave out stays out. */
  async showSection(name: SectionName): Promise<void> {
    await this._stackOnce();
    const stack = this.content as AccordionPanel;
    const place = stack.widgets.findIndex(({ id }) => id === SECTION_IDS[name]);
    if (place >= 0) {
      stack.expand(place);
      stack.titles[place]?.focus();
    }
  }

  /** Run the pipeline of the notebook in view, where a person can watch it. */
  async runPipeline(request: IJobRequest): Promise<void> {
    await this.showSection('pipeline');
    this._pipeline?.run(request);
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._look();
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._see();
  }

  // Moving to the other side area detaches and attaches without showing.
  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._look();
    }
  }

  protected override onBeforeDetach(msg: Message): void {
    super.onBeforeDetach(msg);
    this._model.visible = false;
  }

  private _look(): void {
    this._see();
    void this._stackOnce();
  }

  /** Stack the sections; where their code cannot be had, say so and try again when somebody looks. */
  private _stackOnce(): Promise<void> {
    this._stacked ??= this._stack().catch((error: unknown) => {
      this._stacked = null;
      const trans = this._options.translator.load(TRANSLATION_DOMAIN);
      Notification.error(
        trans.__(
          'The MLOps panel could not be opened: %1. Close it and open it again once the server answers.',
          readProblem(error).message
        )
      );
    });
    return this._stacked;
  }

  /** Stack the sections, whose code runs now. */
  private async _stack(): Promise<void> {
    const [{ loadSections }, unfolded] = await Promise.all([
      import('./sectioncode'),
      this._options.folds?.read() ?? null
    ]);
    const { Notebook, Runs, Pipeline, Models, Data } = await loadSections();
    if (this.isDisposed) {
      return;
    }
    const { api, bridge, cells, live, model, translator, opener } =
      this._options;
    this._runs = new Runs(this._options);
    this._pipeline = new Pipeline({
      api,
      bridge,
      cells,
      view: model,
      translator,
      opener
    });
    this._sections = [
      new Notebook({
        ...{ api, bridge, cells, live, view: model, translator },
        onOpen: (run, notebook) => opener.openRun(run, notebook)
      }),
      this._runs,
      this._pipeline,
      new Models({
        api,
        view: model,
        translator,
        onOpen: (name, notebook) => opener.openModel(name, notebook)
      }),
      new Data({
        ...{ api, view: model, translator },
        onOpenRun: (runId, notebook) => opener.openRunById(runId, notebook)
      })
    ];
    this._arrange();
    // What is folded asks for nothing; the runs are what most people come for.
    const stack = this.content as AccordionPanel;
    stack.widgets.forEach((widget, place) => {
      const isOpen = unfolded?.includes(widget.id) ?? widget === this._runs;
      if (!isOpen) {
        stack.collapse(place);
      }
    });
    this._see();
    stack.expansionToggled.connect(this._onToggled, this);
  }

  /** Give each section its place, or none, as the settings say. */
  private _arrange(): void {
    const { settings } = this._options;
    const isWanted = ({ id }: Widget) =>
      SECTION_NAMES.every(
        name => SECTION_IDS[name] !== id || settings?.hasSection(name) !== false
      );
    this._sections.forEach(section => {
      if (!isWanted(section)) {
        section.parent = null;
      }
    });
    this._sections.filter(isWanted).forEach((section, place) => {
      if (!section.parent) {
        this.insertWidget(place, section);
      }
    });
  }

  private _onSettings(): void {
    this._arrange();
    this._see();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      const left = this._sections.filter(section => !section.parent);
      super.dispose();
      left.forEach(section => section.dispose());
    }
  }

  /** Tell the model whether somebody sees the runs. */
  private _see(): void {
    const runs = this._runs;
    const isThere = runs === null || (runs.parent !== null && !runs.isHidden);
    this._model.visible =
      (this.isVisible && isThere) ||
      this._options.settings?.refreshWhileHidden === true;
  }

  /** Give a section that was unfolded for the first time as much room as the others have. */
  private _onToggled(stack: AccordionPanel, place: number): void {
    const widget = stack.widgets[place];
    const sizes = (stack.layout as AccordionLayout).absoluteSizes();
    if (widget?.isVisible && (sizes[place] ?? 0) < LEAST_HEIGHT) {
      stack.setRelativeSizes(
        stack.widgets.map(each => (each.isHidden ? 0 : 1))
      );
    }
    this._see();
    const unfolded = stack.widgets.filter(each => !each.isHidden);
    this._options.folds?.write(unfolded.map(each => each.id));
  }

  private readonly _model: MLOpsModel;
  private readonly _options: MLOpsPanel.IOptions;
  private _sections: readonly Widget[] = [];
  private _runs: Section | null = null;
  private _pipeline: PipelineSection | null = null;
  /** Settled when the sections are there; null before somebody has looked. */
  private _stacked: Promise<void> | null = null;
}

export namespace MLOpsPanel {
  /** The widget's id, by which the shell activates it. */
  export const ID = 'jp-mlops-panel';

  /** Shows in the main area what has no room beside it. */
  export interface IOpener extends Section.IOpener, PipelineSection.IOpener {
    openModel(name: string, notebook: string): void;
  }

  export interface IOptions {
    readonly api: IApi;
    readonly bridge: INotebookBridge;
    readonly cells: INotebookCells;
    /** Hears of changes at once; without it they are asked for. */
    readonly live?: ILive | undefined;
    readonly model: MLOpsModel;
    readonly changes: RunChanges;
    readonly opener: IOpener;
    readonly translator: ITranslator;
    /** Remembers which sections are unfolded; by default they are the runs. */
    readonly folds?: IFolds;
    /** Which sections there are; by default all. */
    readonly settings?: PanelSettings;
  }

  /** Which sections are unfolded, by their ids; null where nobody has chosen. */
  export interface IFolds {
    read(): Promise<readonly string[] | null>;
    write(unfolded: readonly string[]): void;
  }
}
