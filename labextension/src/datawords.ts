/**
 * The words for data and environment: what the last runs used, and what differs.
 */
import type { MetricValue } from './tokens';

/** One content of a data set. */
export interface IDatasetVersion {
  readonly fingerprint: string;
  /** Whether its bytes are kept, so that its columns can be described. */
  readonly is_kept: boolean;
  readonly shape: readonly number[];
  /** Name and type of each. */
  readonly columns: readonly (readonly [string, string])[];
  readonly size_bytes: number;
  readonly roles: readonly string[];
  readonly run_count: number;
  /** The last run that used it. */
  readonly run_id: string;
  readonly run_name: string;
  readonly first_at: string;
  readonly last_at: string;
}

/** A data set, the content used last first. */
export interface IDatasetSummary {
  readonly name: string;
  readonly kind: string;
  readonly version_count: number;
  readonly versions: readonly IDatasetVersion[];
}

/** An environment, and the last run that ran in it. */
export interface IEnvironmentUse {
  readonly digest: string;
  readonly run_id: string;
  readonly run_name: string;
  readonly run_count: number;
  readonly last_at: string;
}

/** What the last runs used. */
export interface IUses {
  readonly datasets: readonly IDatasetSummary[];
  readonly dataset_count: number;
  readonly environments: readonly IEnvironmentUse[];
  readonly environment_count: number;
  /** So many runs were looked at. */
  readonly run_count: number;
}

/** What one column holds; the figures are those of numbers. */
export interface IColumnProfile {
  readonly name: string;
  readonly type: string;
  readonly missing: number;
  readonly distinct: number;
  readonly mean: MetricValue | null;
  readonly least: MetricValue | null;
  readonly greatest: MetricValue | null;
}

export interface IDatasetProfile {
  readonly rows: number;
  readonly column_count: number;
  readonly columns: readonly IColumnProfile[];
}

/** One entry that two runs do not share; null where a side has none. */
export interface IDifference {
  readonly group: string;
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface IDifferences {
  readonly rows: readonly IDifference[];
  readonly count: number;
}

/** Where a version is: the run that used it, and its fingerprint. */
export interface IVersionPlace {
  readonly run: string;
  readonly fingerprint: string;
  /** Path of the notebook from the server's root. */
  readonly notebook: string;
}
