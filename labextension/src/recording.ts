/**
 * The notebook in view as the store knows it, and the switch that has its kernel record.
 */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IApi } from './api';
import type { INotebookCells } from './notebookcells';
import { KernelError } from './notebookcells';
import type { IExecution, ISession } from './notebookwords';
import type { IRun } from './tokens';

/** Answers that one look may take; a session of more executions is read on at the next. */
const MOST_ANSWERS = 40;

/** One that runs before so many others has lost its end: all since is not asked for each time. */
const MOST_OPEN = 50;

/** What the kernel executes; it leaves no name behind. */
const SWITCH =
  "__import__('mlops_nb.kernel.switch', fromlist=['']).set_recording(%1)";

/** What is known of the notebook in view. */
export interface INotebookState {
  readonly session: ISession | null;
  /** All of the session, in the order they ran. */
  readonly executions: readonly IExecution[];
  /** Those under way, else the last one. */
  readonly runs: readonly IRun[];
  /** The server's clock, in milliseconds since the epoch. */
  readonly now: number;
}

/** Why the switch was not turned. */
export interface ISwitchProblem {
  /** `absent`: mlops_nb is not installed where the kernel runs. */
  readonly kind: 'absent' | 'failed';
  readonly message: string;
}

/** Reads what is new of the notebook in view, and turns its switch. */
export class NotebookRecording {
  constructor(options: NotebookRecording.IOptions) {
    this._options = options;
  }

  /** Emitted when the switch is turned, or was. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** Whether the switch waits for the kernel. */
  get isSwitching(): boolean {
    return this._isSwitching;
  }

  get problem(): ISwitchProblem | null {
    return this._problem;
  }

  /** Read what is new. */
  async load(): Promise<INotebookState> {
    const { api, cells, getNotebook } = this._options;
    const kernel = cells.kernelId ?? '';
    const generation = this._generation;
    let known = this._kernel === kernel ? this._known : [];
    let session = this._kernel === kernel ? this._session : '';
    for (let answers = 1; ; answers++) {
      // One that was running may have ended meanwhile.
      const open = known.findIndex(
        ({ status }, place) =>
          status === 'running' && place >= known.length - MOST_OPEN
      );
      const news = await api.getNotebook({
        notebook: getNotebook() ?? '',
        kernel,
        session,
        since: open < 0 ? known.length : open
      });
      if (news.session?.session_id !== session) {
        known = [];
        session = news.session?.session_id ?? '';
      }
      if (news.executions.length > 0) {
        known = [...known.slice(0, news.from), ...news.executions];
      }
      if (known.length >= news.count || answers >= MOST_ANSWERS) {
        if (generation === this._generation) {
          this._known = known;
          this._session = session;
          this._kernel = kernel;
        }
        return {
          session: news.session,
          executions: known,
          runs: news.runs,
          now: Date.parse(news.now)
        };
      }
    }
  }

  /** Have the kernel record unasked, or no more. */
  async turn(isOn: boolean): Promise<void> {
    if (this._isSwitching) {
      return;
    }
    const generation = this._generation;
    this._isSwitching = true;
    this._problem = null;
    this._stateChanged.emit();
    let problem: ISwitchProblem | null = null;
    try {
      await this._options.cells.execute(
        SWITCH.replace('%1', isOn ? 'True' : 'False')
      );
    } catch (error) {
      problem = Private.explain(error);
    }
    if (generation === this._generation) {
      this._problem = problem;
      this._isSwitching = false;
      await this._options.onChanged();
      this._stateChanged.emit();
    }
  }

  /** Forget everything: another notebook is in view. */
  clear(): void {
    this._generation++;
    this._known = [];
    this._session = '';
    this._isSwitching = false;
    this._problem = null;
  }

  dispose(): void {
    this._generation++;
    Signal.clearData(this);
  }

  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _options: NotebookRecording.IOptions;
  private _known: readonly IExecution[] = [];
  private _session = '';
  private _kernel = '';
  private _isSwitching = false;
  private _problem: ISwitchProblem | null = null;
  /** Counts the notebooks that were in view, so that late answers are known as such. */
  private _generation = 0;
}

export namespace NotebookRecording {
  export interface IOptions {
    readonly api: IApi;
    readonly cells: INotebookCells;
    /** The notebook that is meant. */
    readonly getNotebook: () => string | null;
    /** Called when the switch was turned. */
    readonly onChanged: () => Promise<void>;
  }
}

namespace Private {
  export function explain(error: unknown): ISwitchProblem {
    const isAbsent =
      error instanceof KernelError && error.kind === 'ModuleNotFoundError';
    const message = error instanceof Error ? error.message : String(error);
    return { kind: isAbsent ? 'absent' : 'failed', message };
  }
}
