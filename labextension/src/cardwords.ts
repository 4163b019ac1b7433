/**
 * The card of runs that a cell has recorded, as the kernel writes it into the notebook.
 */
import type { MetricValue, RunStatus } from './tokens';

/** As `mlops_nb.kernel.cards` names it. */
export const CARD_TYPE = 'application/vnd.mlops-nb.run+json';

/** How far a run had got. */
export interface ICardProgress {
  readonly n: number;
  readonly total: number | null;
  readonly description: string;
}

/** What a card says of a run. */
export interface ICardRun {
  readonly runId: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly duration: number | null;
  readonly params: readonly (readonly [string, string])[];
  readonly metrics: readonly (readonly [string, MetricValue])[];
  readonly moreMetrics: number;
  /** Differences from the best value before. */
  readonly deltas: ReadonlyMap<string, number>;
  readonly nested: number;
  readonly recorded: string;
  readonly progress: ICardProgress | null;
}

/** The course of one metric, in few values. */
export interface ICardCurve {
  readonly key: string;
  readonly count: number;
  readonly values: readonly (number | null)[];
}

/** A card. */
export interface ICard {
  readonly runs: readonly ICardRun[];
  /** Of all runs of the cell, of which very many are not listed. */
  readonly count: number;
  readonly curve: ICardCurve | null;
}

/** What a notebook from elsewhere says is bounded too. */
const MOST_RUNS = 50;
const MOST_KEYS = 50;
const LONGEST_TEXT = 300;

const STATUSES = ['running', 'finished', 'failed', 'interrupted'];
/** No object: each has a constructor, which a notebook may name. */
const NOT_NUMBERS: ReadonlyMap<string, MetricValue> = new Map([
  ['nan', 'NaN'],
  ['inf', 'Infinity'],
  ['-inf', '-Infinity']
]);

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const readText = (value: unknown): string => {
  const text = typeof value === 'string' ? value : '';
  return text.length > LONGEST_TEXT
    ? `${text.slice(0, LONGEST_TEXT - 1)}…`
    : text;
};

const readNumber = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

const readMetric = (value: unknown): MetricValue | null =>
  readNumber(value) ?? NOT_NUMBERS.get(readText(value)) ?? null;

function readEntries<T>(
  value: unknown,
  read: (value: unknown) => T | null
): [string, T][] {
  return Object.entries(isFields(value) ? value : {})
    .slice(0, MOST_KEYS)
    .flatMap(([key, each]): [string, T][] => {
      const found = read(each);
      return found === null ? [] : [[readText(key), found]];
    });
}

function readProgress(value: unknown): ICardProgress | null {
  const n = isFields(value) ? readNumber(value.n) : null;
  return isFields(value) && n !== null
    ? {
        n,
        total: readNumber(value.total),
        description: readText(value.description)
      }
    : null;
}

function readRun(value: unknown): ICardRun[] {
  if (!isFields(value) || typeof value.run_id !== 'string') {
    return [];
  }
  return [
    {
      runId: value.run_id.slice(0, LONGEST_TEXT),
      name: readText(value.name),
      status: (STATUSES.includes(value.status as string)
        ? value.status
        : 'interrupted') as RunStatus,
      duration: readNumber(value.duration_s),
      params: readEntries(value.params, readText),
      metrics: readEntries(value.metrics, readMetric),
      moreMetrics: readNumber(value.more_metrics) ?? 0,
      deltas: new Map(readEntries(value.deltas, readNumber)),
      nested: readNumber(value.nested) ?? 0,
      recorded: readText(value.recorded),
      progress: readProgress(value.progress)
    }
  ];
}

function readCurve(value: unknown): ICardCurve | null {
  if (!isFields(value) || !Array.isArray(value.values)) {
    return null;
  }
  const values = value.values.slice(0, LONGEST_TEXT).map(readNumber);
  const count = readNumber(value.count) ?? values.length;
  return { key: readText(value.key), count, values };
}

/**
 * Read a card; a notebook from elsewhere may hold anything.
 *
 * @param value - from the notebook
 * @returns null where it is no card that this version can show
 */
export function readCard(value: unknown): ICard | null {
  if (!isFields(value) || value.schema !== 1 || !Array.isArray(value.runs)) {
    return null;
  }
  const runs = value.runs.slice(0, MOST_RUNS).flatMap(readRun);
  return runs.length === 0
    ? null
    : {
        runs,
        count: readNumber(value.count) ?? value.runs.length,
        curve: readCurve(value.curve)
      };
}
