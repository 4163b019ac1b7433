/**
 * The pipeline of a notebook and its runs, as the server sends them.
 */
import type { MetricValue } from './tokens';

/** A cell of the notebook's file: its position from 0, and its id where it has one. */
export interface ICellPlace {
  readonly index: number;
  readonly id: string | null;
}

/** Values that cross together as they share something, and how big they were in the last run. */
export interface ICrossing {
  readonly names: readonly string[];
  readonly size_bytes: number;
}

/** A step of a notebook's pipeline, and what a run would do with it. */
export interface IStep {
  readonly name: string;
  readonly cells: readonly ICellPlace[];
  readonly after: readonly string[];
  readonly needs: readonly string[];
  readonly provides: readonly string[];
  /** What leaves it and how big that was in the last run; an older server does not say. */
  readonly leaves?: readonly ICrossing[];
  readonly foreseen: 'cached' | 'runs' | 'depends' | 'skipped';
  readonly reason: string;
  /** What becomes of the rounds of its loop, where it has one. */
  readonly loop: string;
}

export interface IParameter {
  readonly name: string;
  readonly type: string;
  readonly default: string;
  readonly help: string;
}

/** What is in the way of a pipeline; `cell` is a position from 0. */
export interface IPipelineProblem {
  readonly error: string;
  readonly message: string;
  readonly hint: string;
  readonly cell: number | null;
}

/** A notebook as steps, as its file stands. */
export interface IPipeline {
  readonly steps: readonly IStep[];
  readonly step_count: number;
  readonly edges: readonly {
    readonly source: string;
    readonly target: string;
    readonly names: readonly string[];
  }[];
  readonly parameters: readonly IParameter[];
  readonly prelude: readonly ICellPlace[];
  readonly skipped: readonly ICellPlace[];
  /** Whether any cell names a step. */
  readonly is_tagged: boolean;
  readonly problem: IPipelineProblem | null;
}

/** One end of a value that crosses between steps. */
export interface IDependencyEnd {
  readonly cell: number;
  readonly line: number;
  readonly text: string;
  readonly rule: string;
  readonly is_sure: boolean;
}

/** Why one step depends on another. */
export interface IDependency {
  readonly source: string;
  readonly target: string;
  readonly name: string;
  readonly written: IDependencyEnd;
  readonly used: IDependencyEnd;
}

export type JobStepStatus =
  'pending' | 'running' | 'succeeded' | 'cached' | 'failed' | 'skipped';

/** What became of a step in a run. */
export interface IJobStep {
  readonly name: string;
  readonly status: JobStepStatus;
  readonly cells_done: number;
  readonly cells_total: number;
  readonly duration_s: number | null;
  readonly message: string;
  /** Path of the executed notebook from the server's root. */
  readonly notebook: string | null;
}

/** A run of a pipeline in a process of its own. */
export interface IJob {
  readonly job_id: string;
  readonly mode: 'run' | 'verify' | 'reproduce';
  readonly status:
    | 'running'
    | 'cancelling'
    | 'finished'
    | 'failed'
    | 'interrupted'
    | 'refused'
    | 'died';
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly steps: readonly IJobStep[];
  readonly notices: readonly string[];
  readonly run_id: string | null;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** Whether it gave what the notebook gives, in words. */
  readonly verification: string | null;
  readonly verdict:
    | 'verified'
    | 'partly verified'
    | 'not verified'
    | 'same'
    | 'differs'
    | 'could not run'
    | null;
  readonly problem: IPipelineProblem | null;
  /** The server's clock. */
  readonly now: string;
}

/** What a run is asked for. */
export interface IJobRequest {
  readonly mode?: 'run' | 'verify';
  readonly params?: Readonly<Record<string, string>>;
  readonly start_at?: string;
  readonly only?: string;
  readonly force?: boolean;
}

/** A tag that would make a step of a cell, and why. */
export interface ISuggestion {
  readonly cell: number;
  /** Of the cell that stood there when it was proposed; the server does not know it. */
  readonly id?: string | null;
  readonly tag: string;
  readonly reason: string;
}
