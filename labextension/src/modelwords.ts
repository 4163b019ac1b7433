/**
 * Registered models as the server sends them.
 */
import type { MetricValue } from './tokens';

/** A version of a registered model as it stands in a list. */
export interface IModelVersion {
  readonly name: string;
  readonly version: number;
  readonly flavor: string;
  readonly digest: string;
  readonly size_bytes: number;
  readonly registered_at: string;
  readonly model_class: string;
  readonly run_id: string | null;
  /** Fingerprints of the data that it was trained on. */
  readonly datasets: readonly string[];
  readonly environment: string | null;
  readonly code: string | null;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly user: string;
  readonly aliases: readonly string[];
  /** Whether its record cannot be read, so that only name, number and aliases are known. */
  readonly is_damaged: boolean;
}

/** One input or output of a model. */
export interface IModelField {
  readonly name: string;
  readonly dtype: string;
  readonly minimum: MetricValue | null;
  readonly maximum: MetricValue | null;
  readonly categories: readonly string[] | null;
  readonly nullable: boolean;
}

/** A version with what it takes and gives. */
export interface IWholeModelVersion extends IModelVersion {
  readonly signature: {
    readonly inputs: readonly IModelField[];
    readonly outputs: readonly IModelField[];
    readonly named: boolean;
  } | null;
  /** Of very many inputs only the first are in the signature. */
  readonly input_count: number;
}

/** A registered model in one line. */
export interface IModelSummary {
  readonly name: string;
  readonly version_count: number;
  readonly newest: IModelVersion;
  readonly aliases: Readonly<Record<string, number>>;
}

export interface IModelsPage {
  readonly models: readonly IModelSummary[];
  readonly limit: number;
  readonly offset: number;
  readonly has_more: boolean;
}

/** What was done with a model once. */
export interface IModelChange {
  readonly event: 'model.registered' | 'alias.set' | 'alias.deleted';
  readonly at: string;
  readonly user: string;
  readonly alias: string | null;
  readonly version: number | null;
  /** The version that the alias named before. */
  readonly before: number | null;
  readonly reason: string;
}

/** A registered model: a page of its versions, newest first, and its newest changes. */
export interface IModelDetails {
  readonly name: string;
  readonly versions: readonly IModelVersion[];
  readonly version_count: number;
  readonly offset: number;
  readonly limit: number;
  readonly aliases: Readonly<Record<string, number>>;
  readonly changes: readonly IModelChange[];
  readonly change_count: number;
}
