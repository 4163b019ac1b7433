/**
 * The state of the panel: the runs of the notebook in view, fresh while somebody looks.
 */
import { VDomModel } from '@jupyterlab/ui-components';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IApi } from './api';
import { Settler } from './settler';
import type { IMLOpsModel, IProblem, IQuery, IRunsPage } from './tokens';
import { readProblem, VERSION } from './tokens';

/** Rows on one page: a screen and a bit, so that an answer each second stays small. */
const PAGE_SIZE = 25;

/** Between two questions while a kernel or a run is at work, in milliseconds. */
const LIVE_MS = 1000;

/** Between two questions while all is quiet. */
const QUIET_MS = 5000;

/** The longest wait after questions that failed. */
const BACKOFF_MS = 15000;

/** So long after a kernel began or ended its work all is asked anew. */
const SETTLE_MS = 300;

/** A kernel that runs many short cells has it asked this often. */
const MOST_SETTLE_MS = 1000;

/** What is listed before somebody asks for something else. */
export const FIRST_QUERY: IQuery = {
  filter: '',
  orderBy: null,
  scope: 'notebook',
  groupBy: null
};

/**
 * The runs of the notebook in view.
 *
 * While the panel is hidden it asks nothing. Shown, it asks each second while a kernel or a run is
 * at work and each five seconds else, and waits longer and longer while the server fails.
 */
export class MLOpsModel extends VDomModel implements IMLOpsModel {
  constructor(options: MLOpsModel.IOptions) {
    super();
    this._api = options.api;
    this._firstQuery = {
      ...FIRST_QUERY,
      scope: options.scope ?? FIRST_QUERY.scope
    };
    this._query = this._firstQuery;
    this._poll = new Poll({
      auto: false,
      name: 'mlops-nb:runs',
      factory: () => this._load(),
      frequency: { interval: QUIET_MS, backoff: true, max: BACKOFF_MS },
      linger: 0, // not one more question from a tab that nobody sees
      standby: 'when-hidden'
    });
    this._settle = new Settler(
      () => void this.refresh(),
      SETTLE_MS,
      MOST_SETTLE_MS
    );
  }

  get notebook(): string | null {
    return this._notebook;
  }

  /** Emitted when another notebook came into view, or none. */
  get notebookChanged(): ISignal<this, void> {
    return this._notebookChanged;
  }

  get page(): IRunsPage | null {
    return this._page;
  }

  get problem(): IProblem | null {
    return this._problem;
  }

  get query(): IQuery {
    return this._query;
  }

  get filterProblem(): IProblem | null {
    return this._filterProblem;
  }

  get columns(): readonly string[] | null {
    return this._columns;
  }

  set columns(columns: readonly string[] | null) {
    this._columns = columns;
    this.stateChanged.emit();
  }

  get foreignVersion(): string | null {
    return this._version === null || Private.fits(this._version)
      ? null
      : this._version;
  }

  get now(): number {
    return Date.now() + this._clockSkew;
  }

  get isLive(): boolean {
    const isRunning = this._page?.runs.some(run => run.status === 'running');
    return this._notebook !== null && (this._busy || isRunning === true);
  }

  get visible(): boolean {
    return this._visible;
  }

  set visible(visible: boolean) {
    if (visible === this._visible) {
      return;
    }
    this._visible = visible;
    this._start();
  }

  get busy(): boolean {
    return this._busy;
  }

  set busy(busy: boolean) {
    if (busy === this._busy) {
      return;
    }
    this._busy = busy;
    if (this._isAsking) {
      // At the beginning for the new pace, at the end for the last values; whoever shows the pace
      // hears of it with the answer, for to draw the list at each turn costs the cells that run.
      this._settle.invoke();
    }
  }

  setNotebook(path: string | null): void {
    if (path === this._notebook) {
      return;
    }
    this._notebook = path;
    this._page = null;
    this._problem = null;
    this._offset = 0;
    this._query = this._firstQuery;
    this._filterProblem = null;
    this._generation++;
    this._start();
    this._notebookChanged.emit();
    this.stateChanged.emit();
  }

  setQuery(change: Partial<IQuery>): void {
    this._query = { ...this._query, ...change };
    this._filterProblem = null;
    this._offset = 0;
    void this.refresh();
    this.stateChanged.emit();
  }

  turnTo(offset: number): void {
    this._offset = Math.max(0, offset);
    void this.refresh();
  }

  async refresh(): Promise<void> {
    if (!this._isAsking) {
      return;
    }
    if (this._asked !== null && !this._isLate(this._asked)) {
      // One question at a time, however often a slow server is told of: the next comes after it.
      this._news++;
      return;
    }
    // Not Poll.refresh(): it would wait for an answer under way, about another notebook.
    await this._poll.schedule({ interval: Poll.IMMEDIATE, phase: 'refreshed' });
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._settle.dispose();
    this._poll.dispose();
    super.dispose();
  }

  private get _isAsking(): boolean {
    return this._visible && this._notebook !== null && !this.isDisposed;
  }

  /** Begin or stop asking, as it now should be. */
  private _start(): void {
    if (this._isAsking) {
      void this.refresh();
    } else {
      void this._poll.stop();
    }
  }

  /** Ask the server once; a throw makes the poll wait longer before it asks again. */
  private async _load(): Promise<void> {
    const { _notebook: notebook, _offset: offset, _query: query } = this;
    if (notebook === null) {
      return;
    }
    const asked = { generation: this._generation, offset, query };
    let news: number | null = this._news;
    this._asked = asked;
    try {
      // At once: whoever opens the panel waits for the longer of the two only.
      const [version, page] = await Promise.all([
        this._version ?? this._api.getStatus().then(status => status.version),
        this._api.listRuns({ ...query, notebook, limit: PAGE_SIZE, offset })
      ]);
      if (this._isLate(asked)) {
        return; // an answer about what is no longer in view
      }
      this._version = version;
      this._page = page;
      this._problem = null;
      this._filterProblem = null;
      this._clockSkew = Date.parse(page.now) - Date.now();
      if (page.runs.length === 0 && offset > 0) {
        this.turnTo(offset - PAGE_SIZE); // the last of this page were deleted
      }
    } catch (error) {
      if (this._isLate(asked)) {
        return;
      }
      news = null; // a server that fails is asked again after a pause
      const problem = readProblem(error);
      if (problem.kind === 'input' && query.filter) {
        this._filterProblem = problem; // a slip of the pen, no fault of the server
        return;
      }
      this._version = null; // the server may come back as another version
      this._problem = problem;
      throw error;
    } finally {
      this._poll.frequency = {
        interval: this.isLive ? LIVE_MS : QUIET_MS,
        backoff: true,
        max: BACKOFF_MS
      };
      if (this._asked === asked) {
        this._asked = null;
        if (news !== null && news !== this._news) {
          void this.refresh();
        } else if (this._isAsking && this._poll.state.phase === 'stopped') {
          // Somebody went and came back while this one was on its way: the poll knows of neither.
          void this._poll.schedule({ phase: 'rejected' });
        }
      }
      if (!this.isDisposed) {
        this.stateChanged.emit();
      }
    }
  }

  /** Whether what was asked is no longer in view. */
  private _isLate(asked: Private.IAsked): boolean {
    return (
      asked.generation !== this._generation ||
      asked.offset !== this._offset ||
      asked.query !== this._query
    );
  }

  private readonly _notebookChanged = new Signal<this, void>(this);
  private readonly _api: IApi;
  private readonly _poll: Poll<void>;
  private readonly _settle: Settler;
  private _notebook: string | null = null;
  private _visible = false;
  private _busy = false;
  private _page: IRunsPage | null = null;
  private _problem: IProblem | null = null;
  private readonly _firstQuery: IQuery;
  private _query: IQuery;
  private _filterProblem: IProblem | null = null;
  private _columns: readonly string[] | null = null;
  private _version: string | null = null;
  private _offset = 0;
  private _clockSkew = 0;
  /** Counts the notebooks that were in view, so that late answers are known as such. */
  private _generation = 0;
  /** The last question, while its answer is under way. */
  private _asked: Private.IAsked | null = null;
  /** Counts the news that came while an answer was under way. */
  private _news = 0;
}

export namespace MLOpsModel {
  export interface IOptions {
    readonly api: IApi;
    /** Which runs are listed first; by default those of the notebook in view. */
    readonly scope?: IQuery['scope'];
  }
}

namespace Private {
  /** What a question was about. */
  export interface IAsked {
    readonly generation: number;
    readonly offset: number;
    readonly query: IQuery;
  }

  /** What a checkout says that was never installed. */
  const CHECKOUT = '0.0.0';

  /** Routes may change with the minor version, never with a patch. */
  export function fits(version: string): boolean {
    if (version === CHECKOUT) {
      return true;
    }
    const family = (text: string) => text.split('.').slice(0, 2).join('.');
    return family(version) === family(VERSION);
  }
}
