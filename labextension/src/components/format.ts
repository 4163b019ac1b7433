/**
 * Numbers, durations and ages as people read them, in the language of the interface.
 */
import type { MetricValue } from '../tokens';

/**
 * Give a metric in a few significant digits.
 *
 * @param value - the value, or the word the server uses where JSON has none
 * @param locale - BCP 47 tag of the interface's language
 * @param digits - at most so many
 */
export function formatMetric(
  value: MetricValue,
  locale: string,
  digits = 4
): string {
  if (typeof value === 'string') {
    return value.replace('Infinity', '∞');
  }
  const size = Math.abs(value);
  const isPlain = value === 0 || (size >= 1e-3 && size < 1e6);
  return new Intl.NumberFormat(locale, {
    notation: isPlain ? 'standard' : 'scientific',
    useGrouping: false,
    // Whole numbers are counts: 12345 must not become 12350.
    maximumSignificantDigits:
      isPlain && Number.isInteger(value)
        ? Math.max(6, digits)
        : // Zeros and exponents take room too, and nothing is cut.
          isPlain && size >= 0.1
          ? digits
          : digits - 1
  }).format(value);
}

/** The forms that the notebook's tables have: ms, s, min, h, each after a space. */
const UNIT_WIDTHS = {
  millisecond: 'short',
  second: 'narrow',
  minute: 'short',
  hour: 'narrow'
} as const;

/**
 * Give a duration in the one or two largest units.
 *
 * @param seconds - how long
 * @param locale - BCP 47 tag of the interface's language
 */
export function formatDuration(seconds: number, locale: string): string {
  const give = (value: number, unit: keyof typeof UNIT_WIDTHS, digits = 0) =>
    new Intl.NumberFormat(locale, {
      style: 'unit',
      unit,
      unitDisplay: UNIT_WIDTHS[unit],
      maximumFractionDigits: digits
    })
      .formatToParts(value)
      .filter(part => part.type !== 'literal' || part.value.trim())
      .map(part => (part.type === 'unit' ? `\u00a0${part.value}` : part.value))
      .join('');
  const whole = Math.floor(Math.max(0, seconds));
  if (seconds < 1) {
    return give(Math.max(0, Math.round(seconds * 1000)), 'millisecond');
  }
  if (seconds < 60) {
    return give(Math.floor(seconds * 10) / 10, 'second', 1);
  }
  if (seconds < 3600) {
    return `${give(Math.floor(whole / 60), 'minute')} ${give(whole % 60, 'second')}`;
  }
  return `${give(Math.floor(whole / 3600), 'hour')} ${give(Math.floor((whole % 3600) / 60), 'minute')}`;
}

/**
 * Give how long ago something was.
 *
 * @param then - when it was, in milliseconds since the epoch
 * @param now - the same clock's present
 * @param locale - BCP 47 tag of the interface's language
 */
export function formatAge(then: number, now: number, locale: string): string {
  const seconds = Math.max(0, Math.floor((now - then) / 1000));
  if (!Number.isFinite(seconds)) {
    return '–'; // a time that nobody can read must not take the list with it
  }
  const words = new Intl.RelativeTimeFormat(locale, {
    numeric: 'auto',
    style: 'short'
  });
  if (seconds < 5) {
    return words.format(0, 'second');
  }
  if (seconds < 60) {
    return words.format(-seconds, 'second');
  }
  if (seconds < 3600) {
    return words.format(-Math.floor(seconds / 60), 'minute');
  }
  if (seconds < 86400) {
    return words.format(-Math.floor(seconds / 3600), 'hour');
  }
  return words.format(-Math.floor(seconds / 86400), 'day');
}

/** JSON's words for what a notebook calls otherwise. */
const PYTHON_WORDS = new Map<unknown, string>([
  [null, 'None'],
  [true, 'True'],
  [false, 'False']
]);

/**
 * Give a logged parameter on one line, as Python writes it.
 *
 * @param value - any JSON value
 */
export function formatParam(value: unknown): string {
  return typeof value === 'string'
    ? value
    : (PYTHON_WORDS.get(value) ?? JSON.stringify(value));
}

/** Whether a record has a name of its own; by birth each has a constructor. */
export const has = (values: object, name: string): boolean =>
  Object.prototype.hasOwnProperty.call(values, name);

/** They tell the course of a training, not its result; as `mlops_nb.records.measures` has them. */
const COURSE = [
  ...['lr', 'grad_norm', 'epoch'],
  ...['best_epoch', 'best_iteration', 'best_step']
];

/** Tell what a run cost or went by from how good it is: times, calls, the machine, rates, epochs. */
export function isCost(key: string): boolean {
  const stem = key.split(/[/.]/)[0] ?? ''; // lr/opt_g is of one optimizer, lr.1 of a group
  return (
    key.startsWith('system/') ||
    /_(s|time|calls)$/.test(key) ||
    COURSE.includes(stem)
  );
}

/**
 * Give metrics as they were logged, results before costs.
 *
 * @param metrics - value by name
 */
export function sortMetrics(
  metrics: Readonly<Record<string, MetricValue>>
): [string, MetricValue][] {
  return Object.entries(metrics).sort(
    (one, other) => Number(isCost(one[0])) - Number(isCost(other[0]))
  );
}

/**
 * Choose the metrics that stand in every row: those that most runs have, first logged first,
 * results before costs.
 *
 * @param rows - the metrics of each run
 * @param count - how many to choose
 */
export function pickKeyMetrics(
  rows: readonly Readonly<Record<string, MetricValue>>[],
  count: number
): string[] {
  const seen = new Map<string, number>();
  for (const metrics of rows) {
    for (const key of Object.keys(metrics)) {
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
  }
  return [...seen.entries()]
    .sort(
      (one, other) =>
        Number(isCost(one[0])) - Number(isCost(other[0])) || other[1] - one[1]
    )
    .slice(0, count)
    .map(([key]) => key);
}

const SIZE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

/**
 * Give a number of bytes in the unit that keeps it short.
 *
 * @param bytes - how many
 * @param locale - BCP 47 tag of the interface's language
 */
export function formatSize(bytes: number, locale: string): string {
  let place = 0;
  let value = bytes;
  // As it will be shown: 999.9 kB round to 1000, which is 1 MB.
  while (Math.round(value) >= 1000 && place < SIZE_UNITS.length - 1) {
    value /= 1000;
    place++;
  }
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: SIZE_UNITS[place] ?? 'byte',
    unitDisplay: place === 0 ? 'long' : 'short',
    maximumSignificantDigits: 3
  }).format(value);
}
