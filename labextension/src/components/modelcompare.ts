/**
 * Two versions of a model side by side: what differs, in rows.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IModelField, IWholeModelVersion, MetricValue } from '../tokens';
import { formatMetric } from './format';

/** Enough to tell two versions apart. */
const DIGITS = 6;

/** One thing that differs. */
export interface IVersionDifference {
  readonly key: string;
  readonly one: string;
  readonly other: string;
  /** By how much a number is greater; empty for all else. */
  readonly change: string;
}

/** Give what a column holds in words. */
export function describeField(field: IModelField, locale: string): string {
  const { minimum, maximum, categories } = field;
  const range =
    minimum !== null && maximum !== null
      ? `${formatMetric(minimum, locale)} … ${formatMetric(maximum, locale)}`
      : (categories?.join(', ') ?? '');
  return [field.nullable ? `${field.dtype}?` : field.dtype, range]
    .filter(Boolean)
    .join(' · ');
}

const say = (value: MetricValue | undefined, locale: string) =>
  value === undefined ? '–' : formatMetric(value, locale, DIGITS);

function compareMetrics(
  one: IWholeModelVersion,
  other: IWholeModelVersion,
  locale: string
): IVersionDifference[] {
  // No objects: each has a constructor, and a metric may be called so.
  const ours = new Map(Object.entries(one.metrics));
  const theirs = new Map(Object.entries(other.metrics));
  const keys = new Set([...ours.keys(), ...theirs.keys()]);
  return [...keys]
    .filter(key => ours.get(key) !== theirs.get(key))
    .map(key => {
      const [value, before] = [ours.get(key), theirs.get(key)];
      const change =
        typeof value === 'number' && typeof before === 'number'
          ? value - before
          : null;
      return {
        key,
        one: say(value, locale),
        other: say(before, locale),
        change:
          change === null
            ? ''
            : `${change > 0 ? '+' : ''}${formatMetric(change, locale)}`
      };
    });
}

function compareFields(
  one: readonly IModelField[],
  other: readonly IModelField[],
  label: string,
  locale: string
): IVersionDifference[] {
  const read = (fields: readonly IModelField[]) =>
    new Map(fields.map(field => [field.name, describeField(field, locale)]));
  const [ours, theirs] = [read(one), read(other)];
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter(name => ours.get(name) !== theirs.get(name))
    .map(name => ({
      key: `${label} ${name}`,
      one: ours.get(name) ?? '–',
      other: theirs.get(name) ?? '–',
      change: ''
    }));
}

/**
 * Compare two versions.
 *
 * @param one - the version that is looked at
 * @param other - the one it is measured by
 * @param locale - BCP 47 tag of the interface's language
 * @param trans - the texts
 * @returns what differs: metrics first, then what it takes and gives, then where it comes from
 */
export function compareVersions(
  one: IWholeModelVersion,
  other: IWholeModelVersion,
  locale: string,
  trans: TranslationBundle
): IVersionDifference[] {
  const short = (digest: string | null) => digest?.slice(0, 12) ?? '–';
  const facts: [string, string, string][] = [
    [trans.__('Class'), one.model_class, other.model_class],
    [trans.__('Flavor'), one.flavor, other.flavor],
    [
      trans.__('Data'),
      one.datasets.map(short).join(', ') || '–',
      other.datasets.map(short).join(', ') || '–'
    ],
    [trans.__('Environment'), short(one.environment), short(other.environment)],
    [trans.__('Code'), short(one.code), short(other.code)],
    [trans.__('Bytes'), short(one.digest), short(other.digest)]
  ];
  return [
    ...compareMetrics(one, other, locale),
    ...compareFields(
      one.signature?.inputs ?? [],
      other.signature?.inputs ?? [],
      trans.__('Input'),
      locale
    ),
    ...compareFields(
      one.signature?.outputs ?? [],
      other.signature?.outputs ?? [],
      trans.__('Output'),
      locale
    ),
    ...facts
      .filter(([, ours, theirs]) => ours !== theirs)
      .map(([key, ours, theirs]) => ({
        key,
        one: ours,
        other: theirs,
        change: ''
      }))
  ];
}
