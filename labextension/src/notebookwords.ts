/**
 * The words for the notebook in view: its kernel's session, what was executed, what to run again.
 */
import type { IRun } from './tokens';

/** A kernel's time from loading the extension to its end. */
export interface ISession {
  readonly session_id: string;
  readonly started_at: string;
  /** Whether its process may still write. */
  readonly is_live: boolean;
  /** Whether anything is recorded unasked. */
  readonly is_recording: boolean;
}

/** One execution of one cell, and what its source says about variables. */
export interface IExecution {
  readonly index: number;
  readonly cell_id: string | null;
  readonly execution_count: number | null;
  readonly status: 'running' | 'ok' | 'error' | 'interrupted';
  readonly source: string;
  /** Names that it needed from before. */
  readonly reads: readonly string[];
  /** Names that it bound. */
  readonly writes: readonly string[];
  /** Variables from before that it changed in place. */
  readonly changes: readonly string[];
  /** Whether all stayed as it was: definitions that ran before as they are. */
  readonly is_repeat: boolean;
}

/** What is new of a notebook. */
export interface INotebookNews {
  readonly session: ISession | null;
  readonly executions: readonly IExecution[];
  /** Place of the first of them among all. */
  readonly from: number;
  readonly count: number;
  /** Those under way, else the last one. */
  readonly runs: readonly IRun[];
  readonly now: string;
}

/** A code cell as it stands in the notebook. */
export interface ICodeCell {
  /** Its place among all cells. */
  readonly index: number;
  readonly id: string;
  readonly source: string;
}

/**
 * Why a cell should be run again.
 *
 * - `edited`: it is not what ran
 * - `rebound`: what it used was set anew by a cell above
 * - `upstream`: what it uses comes from a cell above that should be run again itself
 * - `below`: it used what a cell further down had left
 * - `order`: it used what another cell above had left than the nearest that sets it
 * - `self`: it ran again on what it had itself left
 * - `gone`: it used what no cell sets any more
 */
export type ReasonKind =
  'edited' | 'rebound' | 'upstream' | 'below' | 'order' | 'self' | 'gone';

export interface IReason {
  readonly kind: ReasonKind;
  /** The variable; empty where the reason is about none. */
  readonly name: string;
  /** Place of the other cell among all cells; null where there is none. */
  readonly by: number | null;
}

/** A cell that a run from top to bottom might not give again. */
export interface ISuspect {
  readonly cell: ICodeCell;
  readonly executionCount: number | null;
  readonly reasons: readonly IReason[];
}
