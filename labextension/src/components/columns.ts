/**
 * What can stand in a row of a list: metrics, parameters and tags, by their names in filters.
 */
import type { IRun } from '../tokens';

/** Fields that every run has, as filters name them. */
export const ATTRIBUTES = [
  'name',
  'status',
  'experiment',
  'duration_s',
  'started_at',
  'run_id'
] as const;

/** Kinds of what a run has logged, as filters name them. */
const KINDS = ['metrics', 'params', 'tags'] as const;

/** Our own tags tell the panel things, not people. */
const isOurs = (name: string) => /^tags\.(mlops\.|params\.changed$)/.test(name);

/**
 * Name everything that some of the runs have.
 *
 * @param runs - those in view
 * @returns such as `metrics.acc`, each once
 */
export function listColumns(runs: readonly IRun[]): string[] {
  const names = KINDS.flatMap(kind =>
    runs.flatMap(run => Object.keys(run[kind]).map(key => `${kind}.${key}`))
  );
  return [...new Set(names)].filter(name => !isOurs(name));
}

/**
 * Give what a run has of a column.
 *
 * @param run - any run
 * @param column - such as `metrics.acc`
 * @returns undefined where the run has nothing of that name
 */
export function readColumn(run: IRun, column: string): unknown {
  const [kind, key] = splitColumn(column);
  const known = KINDS.find(each => each === kind);
  const values: Readonly<Record<string, unknown>> = known ? run[known] : {};
  return Object.prototype.hasOwnProperty.call(values, key)
    ? values[key]
    : undefined;
}

/**
 * Divide a column into its kind and its key, which may have dots of its own.
 *
 * @param column - such as `metrics.train.loss`
 */
export function splitColumn(column: string): [string, string] {
  const dot = column.indexOf('.');
  return [column.slice(0, dot), column.slice(dot + 1)];
}

/**
 * Give a column as filters and orders write it.
 *
 * @param column - such as `metrics.train loss`
 * @returns with quotes around a key that needs them; null for one that cannot be written
 */
export function quoteColumn(column: string): string | null {
  const [kind, key] = splitColumn(column);
  if (/^[\w./:@-]+$/.test(key)) {
    return column;
  }
  const quote = ['`', '"'].find(mark => !key.includes(mark));
  return quote ? `${kind}.${quote}${key}${quote}` : null;
}

/**
 * Give a column that filters and orders write with quotes without them.
 *
 * @param text - as `quoteColumn` gives it
 */
export function unquoteColumn(text: string): string {
  const [kind, key] = splitColumn(text);
  return /^([`"]).*\1$/s.test(key) ? `${kind}.${key.slice(1, -1)}` : text;
}

/** What may be put in at the caret, and which part of the text it takes the place of. */
export interface ICompletion {
  readonly from: number;
  readonly options: readonly string[];
}

/** More are a list to read, not to choose from. */
const MOST_OPTIONS = 8;

/**
 * Complete the name that is being typed in a filter.
 *
 * @param text - the filter
 * @param caret - where the caret is
 * @param columns - as `listColumns` gives them
 */
export function completeFilter(
  text: string,
  caret: number,
  columns: readonly string[]
): ICompletion {
  const before = text.slice(0, caret);
  // Inside a text between quotes nothing is a name.
  const isQuoted = (before.match(/'/g) ?? []).length % 2 === 1;
  const word = /[\w.`/:@-]*$/.exec(before)?.[0] ?? '';
  if (isQuoted || !word || /^[\d.]/.test(word)) {
    return { from: caret, options: [] };
  }
  const names = [
    ...columns.map(quoteColumn).filter(name => name !== null),
    ...ATTRIBUTES
  ] as string[];
  const sought = word.toLowerCase();
  const starts = names.filter(name => name.toLowerCase().startsWith(sought));
  const within = names.filter(
    name =>
      !starts.includes(name) &&
      splitColumn(name)[1].toLowerCase().startsWith(sought)
  );
  const options = [...starts, ...within].filter(name => name !== word);
  return { from: caret - word.length, options: options.slice(0, MOST_OPTIONS) };
}
