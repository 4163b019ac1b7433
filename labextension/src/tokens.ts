/**
 * The words that the parts of the panel share: records as the server sends them, tokens, ids.
 */
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

export * from './modelwords';
export * from './pipelinewords';

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
  /** Where its notebook lay; an older server does not say. */
  readonly notebook?: string | null;
}

/** The tag of runs that stay in view; the server knows it too. */
export const PIN_TAG = 'mlops.pinned';

/** A tag that a run had. */
export interface IRemovedTag {
  readonly run: IRun;
  readonly key: string;
  readonly value: string;
}

/** The store that a server asked, and whether it is there. */
export interface ISearchedStore {
  /** Its folder, on the server's machine. */
  readonly store: string;
  readonly exists: boolean;
}

/** One page of a list of runs, newest first. */
export interface IRunsPage {
  readonly runs: readonly IRun[];
  /** Those that stay in view whatever is listed; an older server says none. */
  readonly pinned?: readonly IRun[];
  readonly limit: number;
  readonly offset: number;
  readonly has_more: boolean;
  /** The server's clock, so that a browser with another clock shows the right ages. */
  readonly now: string;
  /** The store that was asked, told where nothing was found; an older server tells none. */
  readonly searched?: ISearchedStore | null;
}

/** A file that a run keeps. */
export interface IArtifact {
  readonly path: string;
  readonly digest: string;
  readonly size_bytes: number;
  readonly media_type: string;
}

/** Data that a run used, by content. */
export interface IDataset {
  readonly fingerprint: string;
  readonly kind: string;
  readonly name: string;
  readonly role: string;
  readonly shape: readonly number[];
  readonly columns: readonly (readonly [string, string])[];
  readonly size_bytes: number;
}

/** Everything that a run keeps, but for what is asked for in pages. */
export interface IRunDetails extends IRun {
  readonly artifacts: readonly IArtifact[];
  readonly artifact_count: number;
  readonly cell_count: number;
  readonly datasets: readonly IDataset[];
  readonly environment: string | null;
  readonly code: string | null;
  readonly parent_run_id: string | null;
  /** Its notebook's path from the server's root, while it lies there; an older server does not say. */
  readonly notebook_path?: string | null;
  readonly notebook: string | null;
  readonly user: string;
  readonly host: string;
}

/** What a chart of a metric shows: lowest and highest value from each step on. */
export interface ICurve {
  readonly key: string;
  /** Points of the whole metric, of which the entries are an extract. */
  readonly count: number;
  readonly steps: readonly number[];
  readonly lows: readonly MetricValue[];
  readonly highs: readonly MetricValue[];
}

/** One execution of one cell. */
export interface ICell {
  readonly index: number;
  readonly source: string;
  readonly duration_s: number | null;
  readonly status: 'running' | 'ok' | 'error' | 'interrupted';
  readonly error: string | null;
  readonly execution_count: number | null;
}

export interface ICellsPage {
  readonly cells: readonly ICell[];
  readonly count: number;
  readonly offset: number;
}

/** Documents about what a run ran in; their form grows, so readers take what they know. */
export interface ISurroundings {
  readonly environment: Readonly<Record<string, unknown>> | null;
  readonly code: Readonly<Record<string, unknown>> | null;
}

export interface IComparedRow {
  readonly group:
    'metric' | 'param' | 'dataset' | 'environment' | 'code' | 'tag';
  readonly key: string;
  /** In the order of the runs; null where a run has none. */
  readonly values: readonly unknown[];
  readonly differs: boolean;
}

/** Runs side by side, differences first. */
export interface IComparison {
  readonly runs: readonly IRun[];
  readonly rows: readonly IComparedRow[];
  readonly count: number;
  readonly offset: number;
  /** What the first run was found by, empty where it is just the newest; an older server does not say. */
  readonly best_by?: string | null;
}

/** Beside which other run of its kind one is put. */
export type OtherRun = 'best' | 'previous';

/** Which runs are listed, and in which order. */
export interface IQuery {
  /** Expression as `search_runs` reads it; empty for all. */
  readonly filter: string;
  /** As `search_runs` reads it; null for the newest first. */
  readonly orderBy: string | null;
  readonly scope: 'notebook' | 'store';
  /** What the runs of a group have in common, as filters write it: `notebook`, `params.C`; null for no groups. */
  readonly groupBy: string | null;
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
 * - `input`: what was asked for cannot be read, as `message` and `hint` say
 * - `gone`: what was asked for is not there, or not any more
 * - `server`: the server says what is wrong, in `message` and `hint`
 */
export type ProblemKind =
  | 'missing'
  | 'network'
  | 'timeout'
  | 'forbidden'
  | 'garbage'
  | 'input'
  | 'gone'
  | 'server';

export interface IProblem {
  readonly kind: ProblemKind;
  readonly message: string;
  readonly hint: string;
}

/** Give any failure as a problem that can be shown. */
export function readProblem(error: unknown): IProblem {
  return typeof error === 'object' && error !== null && 'kind' in error
    ? (error as IProblem)
    : { kind: 'garbage', message: String(error), hint: '' };
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
  /** Which runs are listed. */
  readonly query: IQuery;
  /** Why the filter cannot be read; the list stays as it was. */
  readonly filterProblem: IProblem | null;
  /** What stands in each row, such as `metrics.acc`; null chooses what most runs have. */
  columns: readonly string[] | null;
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
  /** List other runs, or in another order, from the first page on. */
  setQuery(change: Partial<IQuery>): void;
}

export const IMLOpsModel = new Token<IMLOpsModel>(
  'mlops-nb-labextension:IMLOpsModel',
  'The state of the MLOps panel: the runs of the notebook in view, kept live while it is shown.'
);
