/**
 * What is done with the pipeline of the notebook in view: run, cancel, verify, export, tag.
 */
import { VDomModel } from '@jupyterlab/ui-components';

import type { IApi, IJobAnswer } from './api';
import type { INotebookBridge } from './bridge';
import type {
  IJob,
  IJobRequest,
  IPipeline,
  IProblem,
  ISuggestion
} from './tokens';
import { readProblem } from './tokens';

/** A pipeline and what became of its last run. */
export interface IPipelineState {
  readonly pipeline: IPipeline;
  readonly job: IJob | null;
  /** Whether the file was written after the run, which then says little about the steps. */
  readonly isEdited: boolean;
}

/** Whether a run goes on. */
export const isAtWork = (job: IJob | null) =>
  job?.status === 'running' || job?.status === 'cancelling';

/** Asks for the pipeline when its file was written or a run has ended, and for the run else. */
export class PipelineSteering extends VDomModel {
  constructor(options: PipelineSteering.IOptions) {
    super();
    this._options = options;
  }

  /** Why what was asked for last was not done. */
  get problem(): IProblem | null {
    return this._problem;
  }

  /** The file that was written last. */
  get exported(): string | null {
    return this._exported;
  }

  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Ask the server for what is shown. */
  async load(): Promise<IPipelineState> {
    const notebook = this._options.getNotebook() ?? '';
    const { api } = this._options;
    const generation = this._generation;
    const [{ job }, known] = await Promise.all([
      api.getJob(notebook),
      this._pipeline ?? api.getPipeline(notebook)
    ]);
    const hasEnded = isAtWork(this._job) && !isAtWork(job);
    // What a run would do next hangs on what the last one did.
    const pipeline = hasEnded ? await api.getPipeline(notebook) : known;
    if (generation === this._generation) {
      this._pipeline = pipeline;
      this._job = job;
    }
    return { pipeline, job, isEdited: this._isEdited && !isAtWork(job) };
  }

  /** Ask for the pipeline anew next time: its file was written. */
  noteSaved(): void {
    this._isEdited = true;
    this._forget();
  }

  /** Forget everything: another notebook is in view. */
  clear(): void {
    this._views++;
    this._forget();
    this._isEdited = false;
    this._job = null;
    this._problem = null;
    this._exported = null;
    this.stateChanged.emit();
  }

  /** Take away what was said. */
  dismiss(): void {
    this._problem = null;
    this._exported = null;
    this.stateChanged.emit();
  }

  /** Save the notebook and run its pipeline. */
  start(request: IJobRequest): Promise<boolean> {
    return this._do(async (api, notebook, isInView) => {
      await this._save();
      const answer: IJobAnswer = await api.startJob(notebook, request);
      if (isInView()) {
        this._job = answer.job;
        this._isEdited = false;
      }
    });
  }

  /** End the run. */
  cancel(): Promise<boolean> {
    return this._do((api, notebook) => api.cancelJob(notebook));
  }

  /** Save the notebook and write it as a script. */
  exportScript(): Promise<boolean> {
    return this._do(async (api, notebook, isInView) => {
      await this._save();
      const { path } = await api.exportScript(notebook);
      if (isInView()) {
        this._exported = path;
      }
    });
  }

  /** Write the notebook to its file. */
  save(): Promise<boolean> {
    return this._do(() => this._options.bridge.save());
  }

  /** Give the active cell other tags, and write the notebook: a pipeline is what its file says. */
  tag(tags: readonly string[]): Promise<boolean> {
    return this._do(() => {
      this._options.bridge.setTags(tags);
      return this._options.bridge.save();
    });
  }

  /** Have steps proposed for the notebook as it is in view; rejects where that cannot be saved. */
  async suggest(): Promise<readonly ISuggestion[]> {
    const { api, bridge, getNotebook } = this._options;
    const notebook = getNotebook() ?? '';
    // Before the file is written: cells that are put in from now on are not in it.
    const ids = bridge.cellIds;
    await bridge.save();
    const { suggestions } = await api.suggestSteps(notebook);
    return suggestions.map(each => ({ ...each, id: ids[each.cell] ?? null }));
  }

  /** Add the proposed tags to their cells, and write the notebook. */
  tagAll(found: readonly ISuggestion[]): Promise<boolean> {
    return this._do(() => {
      for (const { cell, id = null, tag } of found) {
        this._options.bridge.addTag({ index: cell, id }, tag);
      }
      return this._options.bridge.save();
    });
  }

  private _forget(): void {
    this._generation++;
    this._pipeline = null;
  }

  private async _save(): Promise<void> {
    if (this._options.bridge.isDirty) {
      await this._options.bridge.save();
    }
  }

  private async _do(
    action: (
      api: IApi,
      notebook: string,
      isInView: () => boolean
    ) => Promise<unknown>
  ): Promise<boolean> {
    const notebook = this._options.getNotebook();
    const view = this._views;
    const isInView = () => view === this._views;
    if (notebook === null || this._isBusy) {
      return false;
    }
    this._isBusy = true;
    this._problem = null;
    this._exported = null;
    this.stateChanged.emit();
    let problem: IProblem | null = null;
    try {
      await action(this._options.api, notebook, isInView);
    } catch (error) {
      problem = readProblem(error);
    }
    this._isBusy = false;
    if (isInView()) {
      this._problem = problem;
    }
    this._forget();
    void this._options.onChanged();
    this.stateChanged.emit();
    return problem === null;
  }

  private readonly _options: PipelineSteering.IOptions;
  private _pipeline: IPipeline | null = null;
  private _job: IJob | null = null;
  private _problem: IProblem | null = null;
  private _exported: string | null = null;
  private _isBusy = false;
  private _isEdited = false;
  /** Counts what was in view, so that late answers are known as such. */
  private _generation = 0;
  /** Counts the notebooks that were in view: of others than this one nothing is told. */
  private _views = 0;
}

export namespace PipelineSteering {
  export interface IOptions {
    readonly api: IApi;
    readonly bridge: INotebookBridge;
    /** The notebook whose pipeline is meant. */
    readonly getNotebook: () => string | null;
    /** Called after each change. */
    readonly onChanged: () => Promise<void>;
  }
}
