/**
 * A metric as a curve: drawn as SVG, so that themes, readers and printers take it as it is.
 *
 * The server has already thinned it out to the chart's width; a hundred entries or a hundred
 * million points cost the browser the same.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICurve, MetricValue } from '../tokens';
import { formatMetric } from './format';

export const WIDTH = 320;
export const HEIGHT = 130;
const LEFT = 52;
const RIGHT = 8;
export const TOP = 8;
export const BOTTOM = 20;

export interface ICurveProps {
  readonly curve: ICurve;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

/** A value that can be drawn; NaN and the infinities leave a gap. */
const read = (value: MetricValue | undefined) =>
  typeof value === 'number' ? value : null;

/**
 * Choose round numbers along an axis.
 *
 * @param low - least value
 * @param high - greatest value
 * @param count - about so many
 */
export function chooseTicks(
  low: number,
  high: number,
  count: number
): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) {
    return [low];
  }
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find(each => each * power >= rough) ?? 10;
  const step = factor * power;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: last - first + 1 }, (_, place) =>
    Number(((first + place) * step).toPrecision(12))
  );
}

/** From steps and values to places. */
export interface IScale {
  readonly x: (step: number) => number;
  readonly y: (value: number) => number;
  readonly low: number;
  readonly high: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Find the scale that all of some curves fit into.
 *
 * @param curves - one, or those of several runs
 * @returns null where none of them has a value that can be drawn
 */
export function makeScale(curves: readonly ICurve[]): IScale | null {
  const values = curves
    .flatMap(curve => [...curve.lows, ...curve.highs])
    .map(read)
    .filter(value => value !== null);
  if (values.length === 0) {
    return null;
  }
  let low = values.reduce((one, other) => Math.min(one, other));
  let high = values.reduce((one, other) => Math.max(one, other));
  if (low === high) {
    const room = Math.abs(low) / 10 || 1;
    [low, high] = [low - room, high + room];
  }
  const steps = curves.flatMap(curve => [
    ...curve.steps.slice(0, 1),
    ...curve.steps.slice(-1)
  ]);
  const first = Math.min(...steps);
  const last = Math.max(...steps);
  // Halves first: the span of two huge numbers may be infinite.
  const part = (value: number) => (value / 2 - low / 2) / (high / 2 - low / 2);
  return {
    x: step =>
      LEFT +
      ((WIDTH - LEFT - RIGHT) * (step - first)) / Math.max(last - first, 1),
    y: value => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part(value),
    low,
    high,
    first,
    last
  };
}

/**
 * Draw the line: through lowest and highest value of each entry, with a gap at each that has none.
 *
 * @param curve - as the server sends it
 * @param scale - from steps and values to places
 * @returns what `d` of a path takes
 */
export function drawLine(curve: ICurve, scale: IScale): string {
  let isOpen = false;
  const parts: string[] = [];
  curve.steps.forEach((step, place) => {
    const low = read(curve.lows[place]);
    const high = read(curve.highs[place]);
    if (low === null || high === null) {
      isOpen = false;
      return;
    }
    const x = scale.x(step).toFixed(1);
    parts.push(`${isOpen ? 'L' : 'M'}${x} ${scale.y(low).toFixed(1)}`);
    // A point alone is a line of no length, which round ends make visible.
    parts.push(`L${x} ${scale.y(high).toFixed(1)}`);
    isOpen = true;
  });
  return parts.join('');
}

interface IAxesProps {
  readonly scale: IScale;
  readonly locale: string;
}

export function Axes({ scale, locale }: IAxesProps): React.JSX.Element {
  const short = new Intl.NumberFormat(locale, {
    notation: 'compact',
    maximumSignificantDigits: 4
  });
  return (
    <g className="jp-MLOpsCurve-axes">
      {chooseTicks(scale.low, scale.high, 3).map(value => (
        <React.Fragment key={value}>
          <line
            x1={LEFT}
            x2={WIDTH - RIGHT}
            y1={scale.y(value)}
            y2={scale.y(value)}
          />
          <text x={LEFT - 6} y={scale.y(value) + 4} textAnchor="end">
            {formatMetric(value, locale)}
          </text>
        </React.Fragment>
      ))}
      {chooseTicks(scale.first, scale.last, 4).map(step => (
        <text
          key={step}
          x={scale.x(step)}
          y={HEIGHT - 5}
          textAnchor={scale.x(step) > WIDTH - 30 ? 'end' : 'middle'}
        >
          {short.format(step)}
        </text>
      ))}
    </g>
  );
}

/** Where the pointer is, in the units of the drawing. */
export function findX(event: React.PointerEvent<SVGSVGElement>): number {
  const box = event.currentTarget.getBoundingClientRect();
  return ((event.clientX - box.left) / (box.width || 1)) * WIDTH;
}

/** Which entry lies nearest to a place; null where there is none. */
export function findEntry(
  x: number,
  curve: ICurve,
  scale: IScale
): number | null {
  let best: number | null = null;
  curve.steps.forEach((step, place) => {
    const away = Math.abs(scale.x(step) - x);
    if (best === null || away < Math.abs(scale.x(curve.steps[best] ?? 0) - x)) {
      best = place;
    }
  });
  return best;
}

/** What is under the pointer, as a line and in words. */
function Reading(
  props: ICurveProps & { readonly place: number; readonly scale: IScale }
): React.JSX.Element {
  const { curve, place, scale, locale, trans } = props;
  const step = curve.steps[place] ?? 0;
  const [low = 'NaN', high = 'NaN'] = [curve.lows[place], curve.highs[place]];
  const shown =
    low === high
      ? formatMetric(low, locale, 6)
      : trans.__(
          '%1 to %2',
          formatMetric(low, locale, 6),
          formatMetric(high, locale, 6)
        );
  const x = scale.x(step);
  const isLeft = x < WIDTH / 2;
  return (
    <g className="jp-MLOpsCurve-reading">
      <line x1={x} x2={x} y1={TOP} y2={HEIGHT - BOTTOM} />
      <text
        x={isLeft ? x + 5 : x - 5}
        y={TOP + 8}
        textAnchor={isLeft ? 'start' : 'end'}
      >
        {trans.__('step %1: %2', step, shown)}
      </text>
    </g>
  );
}

export function Curve(props: ICurveProps): React.JSX.Element {
  const { curve, locale, trans } = props;
  const [place, setPlace] = React.useState<number | null>(null);
  const scale = makeScale([curve]);
  if (scale === null) {
    return (
      <p className="jp-MLOpsCurve-none">
        {trans.__('No value of it can be drawn.')}
      </p>
    );
  }
  const line = drawLine(curve, scale);
  const last = curve.highs[curve.highs.length - 1] ?? 'NaN';
  return (
    <svg
      className="jp-MLOpsCurve"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={trans.__(
        '%1 over steps %2 to %3: from %4 to %5, last %6',
        curve.key,
        scale.first,
        scale.last,
        formatMetric(scale.low, locale),
        formatMetric(scale.high, locale),
        formatMetric(last, locale)
      )}
      onPointerMove={event => setPlace(findEntry(findX(event), curve, scale))}
      onPointerLeave={() => setPlace(null)}
    >
      <Axes scale={scale} locale={locale} />
      <path className="jp-MLOpsCurve-line" d={line} />
      {place !== null && place < curve.steps.length && (
        <Reading {...props} place={place} scale={scale} />
      )}
    </svg>
  );
}
