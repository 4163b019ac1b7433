/**
 * Curves of one metric of several runs, drawn over one another.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICurve, IRun } from '../tokens';
import { Pending } from './answer';
import type { IScale } from './curve';
import {
  Axes,
  BOTTOM,
  drawLine,
  findEntry,
  findX,
  HEIGHT,
  makeScale,
  TOP,
  WIDTH
} from './curve';
import { formatMetric, has, sortMetrics } from './format';
import { useGrowingAnswer } from './growing';

/** More lines cannot be told apart. */
export const MOST_LINES = 8;

/** So many metrics are asked for at once. */
const CHARTS_AT_ONCE = 4;

/** Entries of a curve: two for each unit of its width. */
const PIXELS = 400;

type AskCurve = (runId: string, key: string, pixels: number) => Promise<ICurve>;

/** A run and its curve, with the place that gives its line a look. */
interface ILine {
  readonly run: IRun;
  readonly curve: ICurve;
  readonly place: number;
}

export interface IOverlaysProps {
  readonly runs: readonly IRun[];
  /** Counts the answers about the runs, so that curves grow with them. */
  readonly revision: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onCurve: AskCurve;
}

interface IOverlayProps extends IOverlaysProps {
  readonly metric: string;
}

/** What a line says at a place of the chart, or at its end. */
function readLine(
  { curve }: ILine,
  x: number | null,
  scale: IScale,
  locale: string
): string {
  const last = curve.steps.length - 1;
  const entry = x === null ? last : findEntry(x, curve, scale);
  return formatMetric(curve.highs[entry ?? last] ?? 'NaN', locale, 6);
}

function Chart(
  props: IOverlayProps & { readonly lines: readonly ILine[] }
): React.JSX.Element | null {
  const { metric, lines, locale, trans } = props;
  const [x, setX] = React.useState<number | null>(null);
  const scale = makeScale(lines.map(line => line.curve));
  if (scale === null) {
    return null;
  }
  return (
    <div className="jp-MLOpsCard jp-mod-wide">
      <h3 title={metric}>{metric}</h3>
      <svg
        className="jp-MLOpsCurve"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={trans.__(
          '%1 of %2 runs over steps %3 to %4: from %5 to %6',
          metric,
          lines.length,
          scale.first,
          scale.last,
          formatMetric(scale.low, locale),
          formatMetric(scale.high, locale)
        )}
        onPointerMove={event => setX(findX(event))}
        onPointerLeave={() => setX(null)}
      >
        <Axes scale={scale} locale={locale} />
        {lines.map(line => (
          <path
            key={line.run.run_id}
            className="jp-MLOpsCurve-line"
            data-line={line.place}
            d={drawLine(line.curve, scale)}
          />
        ))}
        {x !== null && (
          <g className="jp-MLOpsCurve-reading">
            <line x1={x} x2={x} y1={TOP} y2={HEIGHT - BOTTOM} />
          </g>
        )}
      </svg>
      <ul className="jp-MLOpsLegend" role="list">
        {lines.map(line => (
          <li key={line.run.run_id}>
            <svg viewBox="0 0 28 8" aria-hidden>
              <path
                className="jp-MLOpsCurve-line"
                data-line={line.place}
                d="M1 4L27 4"
              />
            </svg>
            <span className="jp-MLOpsLegend-name" title={line.run.name}>
              {line.run.name}
            </span>
            <span className="jp-MLOpsLegend-value">
              {readLine(line, x, scale, locale)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** One metric: asked for run by run, so that many runs do not crowd the server. */
function Overlay(props: IOverlayProps): React.JSX.Element | null {
  const { metric, runs, revision, trans, onCurve } = props;
  const ask = async () => {
    const lines: ILine[] = [];
    for (const [place, run] of runs.entries()) {
      if (has(run.metrics, metric)) {
        const curve = await onCurve(run.run_id, metric, PIXELS);
        lines.push({ run, curve, place });
      }
    }
    return lines;
  };
  const answer = useGrowingAnswer(ask, [metric], revision);
  if (answer.value === null || answer.problem) {
    return <Pending answer={answer} trans={trans} />;
  }
  // One value a run stands in the table, where it can be read.
  const isDrawn = answer.value.some(line => line.curve.count > 1);
  return isDrawn ? <Chart {...props} lines={answer.value} /> : null;
}

/** Metrics that two of the runs or more have logged, in the order of the first. */
export function findShared(runs: readonly IRun[]): string[] {
  const seen = new Map<string, number>();
  for (const run of runs) {
    for (const [key] of sortMetrics(run.metrics)) {
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
  }
  const shared = Object.fromEntries(
    [...seen].filter(([, count]) => count > 1).map(([key]) => [key, 0])
  );
  return sortMetrics(shared).map(([key]) => key);
}

export function Overlays(props: IOverlaysProps): React.JSX.Element | null {
  const { trans } = props;
  const [shown, setShown] = React.useState(CHARTS_AT_ONCE);
  const runs = props.runs.slice(0, MOST_LINES);
  const metrics = findShared(runs);
  if (metrics.length === 0) {
    return null;
  }
  return (
    <section className="jp-MLOpsOverlays" aria-label={trans.__('Curves')}>
      <h2>{trans.__('Curves')}</h2>
      {props.runs.length > runs.length && (
        <p>{trans.__('Of the first %1 runs.', runs.length)}</p>
      )}
      <div className="jp-MLOpsGrid">
        {metrics.slice(0, shown).map(metric => (
          <Overlay {...props} key={metric} runs={runs} metric={metric} />
        ))}
      </div>
      {metrics.length > shown && (
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          onClick={() => setShown(shown + CHARTS_AT_ONCE)}
        >
          {trans.__('Show more metrics')}
        </button>
      )}
    </section>
  );
}
