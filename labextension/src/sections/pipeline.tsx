/**
 * The section "Pipeline": the steps of the notebook in view, and what becomes of their runs.
 */
import type { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import type { IApi } from '../api';
import type { INotebookBridge } from '../bridge';
import type { IPipelineActions } from '../components/pipelineview';
import { PipelineView } from '../components/pipelineview';
import { NotPython } from '../components/states';
import { Loader } from '../loader';
import type { INotebookCells } from '../notebookcells';
import { isForeign } from '../notebookcells';
import type { IPipelineState } from '../steering';
import { isAtWork, PipelineSteering } from '../steering';
import type { IJobRequest } from '../tokens';
import type { INotebookInView } from './answerview';
import { SectionView } from './answerview';

/** While a run goes on. */
const LIVE_MS = 700;

/** The pipeline, fresh when the notebook was saved and while a run goes on. */
export class PipelineSection extends SectionView<IPipelineState> {
  constructor(options: PipelineSection.IOptions) {
    const { api, bridge, view, translator } = options;
    const steering = new PipelineSteering({
      api,
      bridge,
      getNotebook: () => view.notebook,
      onChanged: () => this.model.refresh()
    });
    super(
      new Loader<IPipelineState>({
        ask: () => steering.load(),
        isLive: ({ job }) => isAtWork(job),
        isReady: () => view.notebook !== null,
        interval: LIVE_MS
      }),
      translator,
      view
    );
    this._options = options;
    this._steering = steering;
    steering.stateChanged.connect(this._onChange, this);
    bridge.changed.connect(this._onChange, this);
    bridge.saved.connect(this._onSaved, this);
    this.id = 'jp-mlops-pipeline';
    this.title.label = this.trans.__('Pipeline');
  }

  /** Save the notebook and run its pipeline. */
  run(request: IJobRequest): void {
    void this._steering.start(request);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      const { bridge } = this._options;
      bridge.changed.disconnect(this._onChange, this);
      bridge.saved.disconnect(this._onSaved, this);
      this._steering.stateChanged.disconnect(this._onChange, this);
      this._steering.dispose();
      super.dispose();
    }
  }

  protected renderValue(state: IPipelineState): React.JSX.Element {
    const { bridge, cells, view } = this._options;
    if (isForeign(cells)) {
      return (
        <NotPython trans={this.trans}>
          {this.trans.__('Only Python notebooks can run as pipelines.')}
        </NotPython>
      );
    }
    return (
      <PipelineView
        key={view.notebook}
        state={state}
        actions={this._makeActions(state)}
        problem={this._steering.problem}
        exported={this._steering.exported}
        cell={bridge.activeCell}
        isDirty={bridge.isDirty}
        isReadOnly={bridge.isReadOnly}
        locale={this.locale}
        trans={this.trans}
      />
    );
  }

  protected override forget(): void {
    this._steering.clear();
  }

  private _makeActions({ job }: IPipelineState): IPipelineActions {
    const { api, bridge, opener, view } = this._options;
    const steering = this._steering;
    const notebook = view.notebook ?? '';
    return {
      isBusy: steering.isBusy || isAtWork(job),
      onRun: request => void steering.start(request),
      onCancel: () => void steering.cancel(),
      onExport: () => void steering.exportScript(),
      onSave: () => void steering.save(),
      onDismiss: () => steering.dismiss(),
      onTag: tags => void steering.tag(tags),
      onGoTo: place => bridge.goTo(place),
      onOpenFile: path => opener.openFile(path),
      onOpenRun: runId => opener.openRunById(runId, notebook),
      onExplain: async step =>
        (await api.explainStep(notebook, step)).dependencies,
      onSuggest: () => steering.suggest(),
      onTakeSuggestions: found => void steering.tagAll(found)
    };
  }

  private _onChange(): void {
    this.update();
  }

  private _onSaved(): void {
    this._steering.noteSaved();
    void this.model.refresh();
  }

  private readonly _options: PipelineSection.IOptions;
  private readonly _steering: PipelineSteering;
}

export namespace PipelineSection {
  /** Shows in the main area what has no room beside it. */
  export interface IOpener {
    openFile(path: string): void;
    openRunById(runId: string, notebook: string): void;
  }

  export interface IOptions {
    readonly api: IApi;
    readonly bridge: INotebookBridge;
    readonly cells: Pick<INotebookCells, 'language'>;
    readonly view: INotebookInView;
    readonly opener: IOpener;
    readonly translator: ITranslator;
  }
}
