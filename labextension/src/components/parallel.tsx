/**
 * What differs between runs as parallel coordinates: an axis for each parameter and metric, a line
 * for each run.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IComparedRow, IComparison, IRun } from '../tokens';
import { formatMetric, formatParam, isCost } from './format';

/** More axes are too narrow to read. */
export const MOST_AXES = 10;

/** An axis of more words than these shows nothing. */
const MOST_WORDS = 8;

/** Looks of lines, which `page.css` gives by number. */
const LOOKS = 8;

/** From here on equal steps are factors: 0.01, 0.1, 1. */
const LOG_FROM = 100;

const LONGEST = 16;
const SPACE = 110;
const HEIGHT = 190;
const TOP = 34;
const BOTTOM = 20;

/** An axis: what is written at its places, and where each run lies on it. */
export interface IAxis {
  readonly key: string;
  /** Words along the axis, with their places: 0 at the foot, 1 at the head. */
  readonly marks: readonly (readonly [string, number])[];
  /** Of each run; null where it has no value. */
  readonly places: readonly (number | null)[];
}

function makeNumbers(
  row: IComparedRow,
  values: readonly (number | null)[],
  locale: string
): IAxis | null {
  const known = values.filter(value => value !== null);
  const low = known.reduce((one, other) => Math.min(one, other), Infinity);
  const high = known.reduce((one, other) => Math.max(one, other), -Infinity);
  if (!(low < high)) {
    return null;
  }
  const isLog = low > 0 && high / low >= LOG_FROM;
  const scale = (value: number) => (isLog ? Math.log10(value) : value / 2);
  const place = (value: number) =>
    (scale(value) - scale(low)) / (scale(high) - scale(low));
  return {
    key: row.key,
    marks: [
      [formatMetric(low, locale), 0],
      [formatMetric(high, locale), 1]
    ],
    places: values.map(value => (value === null ? null : place(value)))
  };
}

function makeWords(row: IComparedRow): IAxis | null {
  const words = row.values.map(value =>
    value === null ? null : formatParam(value)
  );
  const known = [...new Set(words.filter(word => word !== null))];
  if (known.length < 2 || known.length > MOST_WORDS) {
    return null;
  }
  const place = (word: string) => known.indexOf(word) / (known.length - 1);
  return {
    key: row.key,
    marks: known.map(word => [word, place(word)] as const),
    places: words.map(word => (word === null ? null : place(word)))
  };
}

/**
 * Choose the axes: parameters that differ, then what the runs gave, then what they cost.
 *
 * @param rows - of a comparison
 * @param locale - for numbers
 * @returns at most `MOST_AXES`
 */
export function makeAxes(
  rows: readonly IComparedRow[],
  locale: string
): IAxis[] {
  const rank = ({ group, key }: IComparedRow) =>
    group === 'param' ? 0 : isCost(key) ? 2 : 1;
  return rows
    .filter(row => row.differs && ['param', 'metric'].includes(row.group))
    .sort((one, other) => rank(one) - rank(other))
    .map(row => {
      // Of a metric's values only numbers can be drawn: NaN and the infinities come as words.
      const numbers = row.values.map(value =>
        typeof value === 'number' ? value : null
      );
      const isNumeric = row.values.every(
        (value, place) => value === null || numbers[place] !== null
      );
      return isNumeric || row.group === 'metric'
        ? makeNumbers(row, numbers, locale)
        : makeWords(row);
    })
    .filter(axis => axis !== null)
    .slice(0, MOST_AXES);
}

const findY = (place: number) =>
  HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * place;
const findX = (place: number) => SPACE * (place + 0.5);

/**
 * Draw the line of a run, with a gap at each axis on which it has no value.
 *
 * @param axes - from `makeAxes`
 * @param run - which of the runs
 * @returns what `d` of a path takes
 */
export function drawRun(axes: readonly IAxis[], run: number): string {
  let isOpen = false;
  return axes
    .map((axis, number) => {
      const place = axis.places[run] ?? null;
      const word = isOpen ? 'L' : 'M';
      const next = axes[number + 1]?.places[run] ?? null;
      const wasOpen = isOpen;
      isOpen = place !== null;
      if (place === null) {
        return '';
      }
      const point = `${findX(number)} ${findY(place).toFixed(1)}`;
      // A point alone is a line of no length, which round ends make visible.
      return `${word}${point}${!wasOpen && next === null ? `L${point}` : ''}`;
    })
    .join('');
}

function shorten(text: string): string {
  const letters = Array.from(text);
  return letters.length > LONGEST
    ? `${letters.slice(0, LONGEST - 1).join('')}…`
    : text;
}

function Axis(props: {
  readonly axis: IAxis;
  readonly place: number;
}): React.JSX.Element {
  const { axis, place } = props;
  const x = findX(place);
  return (
    <g className="jp-MLOpsCurve-axes">
      <line x1={x} x2={x} y1={TOP} y2={HEIGHT - BOTTOM} />
      <text className="jp-mod-name" x={x} y={12} textAnchor="middle">
        <title>{axis.key}</title>
        {shorten(axis.key)}
      </text>
      {axis.marks.map(([word, at]) => (
        <text
          key={word}
          x={at === 0 || at === 1 ? x : x + 5}
          y={at === 0 ? HEIGHT - 6 : at === 1 ? TOP - 6 : findY(at) + 3}
          textAnchor={at === 0 || at === 1 ? 'middle' : 'start'}
        >
          {shorten(word)}
        </text>
      ))}
    </g>
  );
}

function Legend(props: {
  readonly runs: readonly IRun[];
  readonly onPick: (run: number | null) => void;
}): React.JSX.Element {
  return (
    <ul className="jp-MLOpsLegend" role="list">
      {props.runs.map((run, place) => (
        <li
          key={run.run_id}
          onPointerEnter={() => props.onPick(place)}
          onPointerLeave={() => props.onPick(null)}
        >
          <svg viewBox="0 0 28 8" aria-hidden>
            <path
              className="jp-MLOpsCurve-line"
              data-line={place % LOOKS}
              d="M1 4L27 4"
            />
          </svg>
          <span className="jp-MLOpsLegend-name" title={run.name}>
            {run.name}
          </span>
        </li>
      ))}
    </ul>
  );
}

export interface IParallelProps {
  readonly comparison: IComparison;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

export function Parallel(props: IParallelProps): React.JSX.Element | null {
  const { comparison, locale, trans } = props;
  const [picked, setPicked] = React.useState<number | null>(null);
  const { runs, rows } = comparison;
  const axes = makeAxes(rows, locale);
  if (axes.length < 2 || runs.length < 2) {
    return null;
  }
  const title = trans.__('Parallel coordinates');
  const names = axes.map(axis => axis.key).join(', ');
  const width = SPACE * axes.length;
  return (
    <section className="jp-MLOpsParallel" aria-label={title}>
      <h2>{title}</h2>
      <div className="jp-MLOpsCard jp-mod-wide">
        <svg
          className="jp-MLOpsCurve"
          viewBox={`0 0 ${width} ${HEIGHT}`}
          style={{ maxWidth: width * 1.1 }}
          role="img"
          aria-label={trans.__('%1 runs over %2', runs.length, names)}
        >
          {axes.map((axis, place) => (
            <Axis key={`${place} ${axis.key}`} axis={axis} place={place} />
          ))}
          {runs.map((run, place) => (
            <path
              key={run.run_id}
              className="jp-MLOpsCurve-line"
              data-line={place % LOOKS}
              data-dim={picked !== null && picked !== place}
              d={drawRun(axes, place)}
              onPointerEnter={() => setPicked(place)}
              onPointerLeave={() => setPicked(null)}
            >
              <title>{run.name}</title>
            </path>
          ))}
        </svg>
        <Legend runs={runs} onPick={setPicked} />
      </div>
    </section>
  );
}
