/**
 * What is done with runs: choose, rename, tag, delete, and undo.
 */
import { VDomModel } from '@jupyterlab/ui-components';

import type { IApi } from './api';
import type { IProblem, IRemovedTag, IRun } from './tokens';
import { PIN_TAG, readProblem } from './tokens';

/** Of more runs a table is not readable, and the server refuses it. */
export const MOST_COMPARED = 20;

/** Lists cut texts of that length; they end with their beginning, and three dots. */
const LONGEST_LISTED = 300;

/** Chosen runs, and changes of runs. */
export class RunChanges extends VDomModel {
  constructor(options: RunChanges.IOptions) {
    super();
    this._options = options;
  }

  /** The chosen runs, by id; they stay chosen when the page is turned. */
  get selected(): ReadonlyMap<string, IRun> {
    return this._selected;
  }

  /** The runs that were deleted last and can be had back. */
  get deleted(): readonly IRun[] {
    return this._deleted;
  }

  /** The tag that was removed last and can be had back. */
  get removedTag(): IRemovedTag | null {
    return this._removedTag;
  }

  /** Why the last change was not made. */
  get problem(): IProblem | null {
    return this._problem;
  }

  /** Whether a change is under way. */
  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Choose a run, or choose it no more. */
  toggle(run: IRun): void {
    const chosen = new Map(this._selected);
    if (!chosen.delete(run.run_id)) {
      chosen.set(run.run_id, run);
    }
    this._selected = chosen;
    this.stateChanged.emit();
  }

  /** Choose nothing, and forget what was said; another notebook is in view, say. */
  clear(): void {
    this._views++;
    this._selected = new Map();
    this._deleted = [];
    this._removedTag = null;
    this._problem = null;
    this.stateChanged.emit();
  }

  /** Choose nothing. */
  unselect(): void {
    this._selected = new Map();
    this.stateChanged.emit();
  }

  /** Take away what was said about the last change. */
  dismiss(): void {
    this._deleted = [];
    this._removedTag = null;
    this._problem = null;
    this.stateChanged.emit();
  }

  /** Give a run another name; false where this was refused. */
  rename(run: IRun, name: string): Promise<boolean> {
    return this._change(notebook =>
      this._options.api.editRun({ runId: run.run_id, notebook }, { name })
    );
  }

  /** Set a tag of a run; false where this was refused. */
  setTag(run: IRun, key: string, value: string): Promise<boolean> {
    return this._tag(run, key, value);
  }

  /** Remove a tag of a run; it can be had back. */
  removeTag(run: IRun, key: string): Promise<boolean> {
    return this._change(async (notebook, isInView) => {
      const place = { runId: run.run_id, notebook };
      let value = String(run.tags[key]);
      if (value.length >= LONGEST_LISTED) {
        // What is put back must be what was there.
        const { tags } = await this._options.api.getRun(place);
        value = String(tags[key]);
      }
      await this._options.api.editRun(place, { tags: { [key]: null } });
      if (isInView()) {
        this._deleted = [];
        this._removedTag = { run, key, value };
      }
    });
  }

  /** Keep a run in view, or keep it no more. */
  setPin(run: IRun, isPinned: boolean): Promise<boolean> {
    return this._tag(run, PIN_TAG, isPinned ? 'yes' : null);
  }

  /** Delete runs, one after the other, until one is refused. */
  remove(runs: readonly IRun[]): Promise<boolean> {
    return this._change(async (notebook, isInView) => {
      // Not before: one that is refused, as another goes on, must leave what that one can undo.
      this._deleted = [];
      this._removedTag = null;
      for (const run of runs) {
        await this._options.api.deleteRun({ runId: run.run_id, notebook });
        if (!isInView()) {
          continue;
        }
        this._deleted = [...this._deleted, run];
        const chosen = new Map(this._selected);
        chosen.delete(run.run_id);
        this._selected = chosen;
      }
    });
  }

  /** Put back what was deleted or removed last. */
  async undo(): Promise<boolean> {
    const tag = this._removedTag;
    if (tag !== null) {
      const isDone = await this._tag(tag.run, tag.key, tag.value);
      if (isDone) {
        this._removedTag = null;
        this.stateChanged.emit();
      }
      return isDone;
    }
    return this._change(async notebook => {
      for (const run of [...this._deleted]) {
        await this._options.api.restoreRun({ runId: run.run_id, notebook });
        this._deleted = this._deleted.filter(other => other !== run);
      }
    });
  }

  private _tag(run: IRun, key: string, value: string | null): Promise<boolean> {
    return this._change(notebook =>
      this._options.api.editRun(
        { runId: run.run_id, notebook },
        { tags: { [key]: value } }
      )
    );
  }

  private async _change(
    change: (notebook: string, isInView: () => boolean) => Promise<unknown>
  ): Promise<boolean> {
    const notebook = this._options.getNotebook();
    const view = this._views;
    const isInView = () => view === this._views;
    if (notebook === null || this._isBusy) {
      return false;
    }
    this._isBusy = true;
    this._problem = null;
    this.stateChanged.emit();
    let problem: IProblem | null = null;
    try {
      await change(notebook, isInView);
    } catch (error) {
      problem = readProblem(error);
    }
    this._isBusy = false;
    if (isInView()) {
      this._problem = problem;
    }
    // The list says what is so now, also where only some of it was done.
    void this._options.onChanged();
    this.stateChanged.emit();
    return problem === null;
  }

  private readonly _options: RunChanges.IOptions;
  private _selected: ReadonlyMap<string, IRun> = new Map();
  private _deleted: readonly IRun[] = [];
  private _removedTag: IRemovedTag | null = null;
  private _problem: IProblem | null = null;
  private _isBusy = false;
  /** Counts the notebooks that were in view: of others than this one nothing is told. */
  private _views = 0;
}

export namespace RunChanges {
  export interface IOptions {
    readonly api: IApi;
    /** The notebook whose store is meant. */
    readonly getNotebook: () => string | null;
    /** Called after each change. */
    readonly onChanged: () => Promise<void>;
  }
}
