/**
 * One answer of the server, fetched while somebody looks and kept fresh while it changes.
 */
import { VDomModel } from '@jupyterlab/ui-components';
import { Poll } from '@lumino/polling';

import type { IProblem } from './tokens';
import { readProblem } from './tokens';

/** Between two questions while the answer changes, in milliseconds. */
const LIVE_MS = 2000;

/** The longest wait after questions that failed. */
const BACKOFF_MS = 15000;

/**
 * An answer of the server.
 *
 * It is asked for when somebody first looks, each two seconds while it says that it changes, and
 * after a failure until it comes. Hidden, nothing is asked.
 */
export class Loader<T> extends VDomModel {
  constructor(options: Loader.IOptions<T>) {
    super();
    this._options = options;
    this._poll = new Poll({
      auto: false,
      name: 'mlops-nb:loader',
      factory: () => this._load(),
      frequency: { interval: LIVE_MS, backoff: true, max: BACKOFF_MS },
      linger: 0,
      standby: 'when-hidden'
    });
    document.addEventListener('visibilitychange', this._onVisibility);
  }

  /** The last answer, kept while a problem lasts; null before the first. */
  get value(): T | null {
    return this._value;
  }

  get problem(): IProblem | null {
    return this._problem;
  }

  /** Counts the answers, so that what hangs on one can be asked again. */
  get revision(): number {
    return this._revision;
  }

  get visible(): boolean {
    return this._visible;
  }

  set visible(visible: boolean) {
    if (visible === this._visible) {
      return;
    }
    this._visible = visible;
    if (visible) {
      void this.refresh();
    } else {
      void this._poll.stop();
    }
  }

  /** Forget the answer, as it is about what is no longer in view, and ask for the next. */
  reset(): void {
    this._generation++;
    this._value = null;
    this._problem = null;
    this.stateChanged.emit();
    void (this._isReady ? this.refresh() : this._poll.stop());
  }

  /** Ask now. */
  async refresh(): Promise<void> {
    if (!this._visible || !this._isReady || this.isDisposed) {
      return;
    }
    if (this._asked === this._generation) {
      // One question at a time, however often a slow server is told of: the next comes after it.
      this._news++;
      return;
    }
    await this._poll.schedule({ interval: Poll.IMMEDIATE, phase: 'refreshed' });
  }

  override dispose(): void {
    if (!this.isDisposed) {
      document.removeEventListener('visibilitychange', this._onVisibility);
      this._poll.dispose();
      super.dispose();
    }
  }

  /** Ask when the browser shows this tab again: what was told of meanwhile was not asked for. */
  private readonly _onVisibility = (): void => {
    if (document.visibilityState === 'visible') {
      void this.refresh();
    }
  };

  private get _isReady(): boolean {
    return this._options.isReady?.() ?? true;
  }

  private get _interval(): number {
    const { interval } = this._options;
    if (typeof interval !== 'function') {
      return interval ?? LIVE_MS;
    }
    return this._value === null ? LIVE_MS : interval(this._value);
  }

  private async _load(): Promise<void> {
    const generation = this._generation;
    let news: number | null = this._news;
    this._asked = generation;
    try {
      const value = await this._options.ask();
      if (generation !== this._generation) {
        return; // an answer about what is no longer in view
      }
      this._value = value;
      this._problem = null;
      this._revision++;
    } catch (error) {
      if (generation !== this._generation) {
        return;
      }
      this._problem = readProblem(error);
      news = null; // a server that fails is asked again after a pause
      throw error;
    } finally {
      const isLast = this._asked === generation;
      if (isLast) {
        this._asked = null;
      }
      if (!this.isDisposed) {
        const isLive =
          this._problem !== null ||
          (this._value !== null && this._options.isLive(this._value));
        this._poll.frequency = {
          interval: isLive ? this._interval : Poll.NEVER,
          backoff: true,
          max: isLive ? BACKOFF_MS : Poll.NEVER
        };
        if (isLast && news !== null && news !== this._news) {
          void this.refresh();
        } else if (
          isLast &&
          this._visible &&
          this._poll.state.phase === 'stopped'
        ) {
          // Somebody went and came back while this one was on its way: the poll knows of neither.
          void this._poll.schedule({ phase: 'rejected' });
        }
        this.stateChanged.emit();
      }
    }
  }

  private readonly _options: Loader.IOptions<T>;
  private readonly _poll: Poll<void>;
  private _value: T | null = null;
  private _problem: IProblem | null = null;
  private _revision = 0;
  /** Counts what was in view, so that late answers are known as such. */
  private _generation = 0;
  /** What the question was about whose answer is under way. */
  private _asked: number | null = null;
  /** Counts the news that came while an answer was under way. */
  private _news = 0;
  private _visible = false;
}

export namespace Loader {
  export interface IOptions<T> {
    readonly ask: () => Promise<T>;
    /** Whether the answer may change by itself. */
    readonly isLive: (value: T) => boolean;
    /** Whether there is anything to ask about; by default there always is. */
    readonly isReady?: () => boolean;
    /** Milliseconds between two questions while it may change. */
    readonly interval?: number | ((value: T) => number);
  }
}
