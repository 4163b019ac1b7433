/**
 * The words that the parts of the panel share: records as the server sends them, tokens, ids.
 */
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

/** The version of this bundle; a test holds it to package.json. */
export const VERSION = '0.1.0';

/** The namespace of the translated texts. */
export const TRANSLATION_DOMAIN = 'mlops_nb';

export type RunStatus = 'running' | 'finished' | 'failed' | 'interrupted';

/** JSON has no words for these three, so the server spells them. */
export type MetricValue = number | 'NaN' | 'Infinity' | '-Infinity';

/** A run as it stands in a list. */
export interface IRun {
  readonly run_id: string;
  readonly name: string;
  readonly experiment: string;
  readonly status: RunStatus;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly duration_s: number | null;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, unknown>>;
}

/** One page of a list of runs, newest first. */
export interface IRunsPage {
  readonly runs: readonly IRun[];
  readonly limit: number;
  readonly offset: number;
  readonly has_more: boolean;
  /** The server's clock, so that a browser with another clock shows the right ages. */
  readonly now: string;
}

/** What the server says about itself. */
export interface IStatus {
  readonly version: string;
  readonly store: string;
}

/**
 * Why the panel cannot show what it should.
 *
 * - `missing`: the server does not know our routes
 * - `network`: no answer
 * - `timeout`: no answer in time
 * - `forbidden`: the server knows us not, or not any more
 * - `garbage`: an answer that is not ours, as from a proxy
 * - `server`: the server says what is wrong, in `message` and `hint`
 */
export type ProblemKind =
  'missing' | 'network' | 'timeout' | 'forbidden' | 'garbage' | 'server';

export interface IProblem {
  readonly kind: ProblemKind;
  readonly message: string;
  readonly hint: string;
}

/** What the sections of the panel show, and what they can ask for. */
export interface IMLOpsModel extends IDisposable {
  /** Emitted when anything below has changed. */
  readonly stateChanged: ISignal<this, void>;
  /** Path of the notebook in view, from the server's root; null while none is open. */
  readonly notebook: string | null;
  /** Whether somebody looks at the panel. Hidden, it asks the server for nothing. */
  visible: boolean;
  /** Whether the notebook's kernel is at work, so that new values may come at any time. */
  busy: boolean;
  /** Whether a kernel or a run is at work and the list is kept fresh each second. */
  readonly isLive: boolean;
  /** The page in view, kept while a problem lasts; null before the first answer. */
  readonly page: IRunsPage | null;
  readonly problem: IProblem | null;
  /** The server's version where it does not fit ours, else null. */
  readonly foreignVersion: string | null;
  /** The server's clock, in milliseconds since the epoch. */
  readonly now: number;

  /** Show the runs of another notebook, or of none. */
  setNotebook(path: string | null): void;
  /** Ask the server now. */
  refresh(): Promise<void>;
  /** Turn to the page that begins at a row. */
  turnTo(offset: number): void;
}

export const IMLOpsModel = new Token<IMLOpsModel>(
  'mlops-nb-labextension:IMLOpsModel',
  'The state of the MLOps panel: the runs of the notebook in view, kept live while it is shown.'
);
