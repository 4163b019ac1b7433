/**
 * The card under a cell: what its runs gave, what was changed to get it, and the way to their pages.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICard, ICardCurve, ICardProgress, ICardRun } from '../cardwords';
import { statusIcons } from '../icons';
import type { MetricValue } from '../tokens';
import { formatDuration, formatMetric, isCost } from './format';
import { nameStatus } from './run';

export interface ICardProps {
  readonly card: ICard;
  /** Whether only the first line is shown at first. */
  readonly isFolded: boolean;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onOpenRun: (run: ICardRun) => void;
  readonly onOpenPanel: () => void;
}

const DIGITS = 6;
const MOST_COLUMNS = 6;
/** Of the drawing of a curve, in its own units. */
const WIDTH = 160;
const HEIGHT = 28;
const EDGE = 2;

/** Say how a value compares with the best before it; no word of which is better is implied. */
function formatDelta(
  delta: number | undefined,
  locale: string,
  trans: TranslationBundle
): string {
  if (delta === undefined) {
    return '';
  }
  if (delta === 0) {
    return trans.__('= best so far');
  }
  const size = formatMetric(Math.abs(delta), locale);
  return delta > 0 ? `▲ +${size}` : `▼ −${size}`;
}

/** Place a curve in its box; where there is no number it has a gap. */
export function drawCurve(values: ICardCurve['values']): string {
  const numbers = values.filter((value): value is number => value !== null);
  const low = numbers.reduce((one, other) => Math.min(one, other), Infinity);
  const high = numbers.reduce((one, other) => Math.max(one, other), -Infinity);
  const span = high - low;
  let isGap = true;
  return values
    .map((value, place) => {
      if (value === null) {
        isGap = true;
        return '';
      }
      const share =
        span > 0 && Number.isFinite(span) ? (value - low) / span : 0.5;
      const x = (place / Math.max(1, values.length - 1)) * (WIDTH - 2 * EDGE);
      const y = (1 - share) * (HEIGHT - 2 * EDGE);
      const command = isGap ? 'M' : 'L';
      isGap = false;
      return `${command}${(EDGE + x).toFixed(1)} ${(EDGE + y).toFixed(1)}`;
    })
    .join('');
}

function CurveLine(
  props: ICardProps & { readonly curve: ICardCurve }
): React.JSX.Element {
  const { curve, trans } = props;
  return (
    <p className="jp-MLOpsRunCard-curve">
      <svg
        role="img"
        aria-label={trans.__('%1 over %2 points', curve.key, curve.count)}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        width={WIDTH}
        height={HEIGHT}
      >
        <path d={drawCurve(curve.values)} fill="none" />
      </svg>{' '}
      <span>{curve.key}</span>
    </p>
  );
}

function Progress(
  props: ICardProps & { readonly progress: ICardProgress }
): React.JSX.Element {
  const { progress, trans } = props;
  const { n, total, description } = progress;
  const words =
    total === null ? trans.__('%1 done', n) : trans.__('%1 of %2', n, total);
  return (
    <p className="jp-MLOpsRunCard-progress">
      {total !== null && (
        <progress
          max={total}
          value={Math.min(n, total)}
          aria-label={description || trans.__('Progress')}
        />
      )}{' '}
      {description && `${description} `}
      {words}
    </p>
  );
}

/** Results before costs: a notebook's file has them by their names. */
const rankCosts = (
  one: readonly [string, unknown],
  other: readonly [string, unknown]
) => Number(isCost(one[0])) - Number(isCost(other[0]));

function Metrics(
  props: ICardProps & { readonly run: ICardRun }
): React.JSX.Element | null {
  const { run, locale, trans } = props;
  if (run.metrics.length === 0) {
    return null;
  }
  return (
    <table className="jp-MLOpsRunCard-metrics">
      <tbody>
        {[...run.metrics].sort(rankCosts).map(([key, value]) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td title={String(value)}>{formatMetric(value, locale, DIGITS)}</td>
            <td className="jp-MLOpsRunCard-delta">
              {formatDelta(run.deltas.get(key), locale, trans)}
            </td>
          </tr>
        ))}
        {run.moreMetrics > 0 && (
          <tr>
            <td colSpan={3}>{trans.__('and %1 more', run.moreMetrics)}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function OneRun(
  props: ICardProps & { readonly run: ICardRun }
): React.JSX.Element {
  const { card, run, trans } = props;
  return (
    <>
      {run.progress && <Progress {...props} progress={run.progress} />}
      <Metrics {...props} />
      {card.curve && <CurveLine {...props} curve={card.curve} />}
      {run.params.length > 0 && (
        <p className="jp-MLOpsRunCard-params">
          {run.params.map(([key, text]) => (
            <span key={key}>
              {key} <code>{text}</code>
            </span>
          ))}
        </p>
      )}
      {run.recorded && (
        <p className="jp-MLOpsRunCard-recorded">
          {trans.__('Recorded: %1', run.recorded)}
        </p>
      )}
    </>
  );
}

/** Choose parameters to stand beside the metrics: those in which the runs differ. */
function pickParams(runs: readonly ICardRun[]): string[] {
  const keys = [
    ...new Set(runs.flatMap(run => run.params.map(([key]) => key)))
  ];
  const read = (run: ICardRun, key: string) => new Map(run.params).get(key);
  return keys
    .filter(key => new Set(runs.map(run => read(run, key))).size > 1)
    .slice(0, MOST_COLUMNS);
}

function ManyRuns(props: ICardProps): React.JSX.Element {
  const { card, locale, trans, onOpenRun } = props;
  const { runs } = card;
  const found = [
    ...new Set(runs.flatMap(run => run.metrics.map(([key]) => key)))
  ];
  const metrics = found
    .sort((one, other) => Number(isCost(one)) - Number(isCost(other)))
    .slice(0, MOST_COLUMNS);
  const params = pickParams(runs);
  const show = (value: MetricValue | undefined) =>
    value === undefined ? '–' : formatMetric(value, locale, DIGITS);
  return (
    <div className="jp-MLOpsRunCard-scroll">
      <table className="jp-MLOpsRunCard-runs">
        <thead>
          <tr>
            <th scope="col">{trans.__('Run')}</th>
            <th scope="col">{trans.__('Status')}</th>
            <th scope="col">{trans.__('Duration')}</th>
            {[...metrics, ...params].map((key, place) => (
              <th scope="col" key={place}>
                {key}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.map(run => (
            <tr key={run.runId}>
              <th scope="row">
                <button
                  type="button"
                  className="jp-MLOpsLink"
                  title={run.runId}
                  onClick={() => onOpenRun(run)}
                >
                  {run.name}
                </button>
              </th>
              <td>{nameStatus(run.status, trans)}</td>
              <td>
                {run.duration === null
                  ? '–'
                  : formatDuration(run.duration, locale)}
              </td>
              {metrics.map(key => (
                <td key={key}>{show(new Map(run.metrics).get(key))}</td>
              ))}
              {params.map(key => (
                <td key={key}>{new Map(run.params).get(key) ?? '–'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The first line, which quiet cards show alone. */
function Summary(props: ICardProps): React.JSX.Element {
  const { card, locale, trans } = props;
  const [run] = card.runs;
  if (!run || card.runs.length > 1) {
    const left = card.count - card.runs.length;
    return (
      <summary>
        <strong>{trans._n('%1 run', '%1 runs', card.count)}</strong>
        {left > 0 && ` · ${trans.__('the first %1 shown', card.runs.length)}`}
      </summary>
    );
  }
  const StatusIcon = statusIcons[run.status];
  const facts = [
    nameStatus(run.status, trans),
    ...(run.duration === null ? [] : [formatDuration(run.duration, locale)]),
    ...(run.nested > 0
      ? [trans._n('%1 nested run', '%1 nested runs', run.nested)]
      : [])
  ];
  return (
    <summary data-status={run.status}>
      <span className="jp-MLOpsRunCard-icon" aria-hidden>
        <StatusIcon.react tag="span" />
      </span>
      <strong>{run.name}</strong> {facts.join(' · ')}{' '}
      <code>{run.runId.slice(-8)}</code>
    </summary>
  );
}

export function RunCard(props: ICardProps): React.JSX.Element {
  const { card, isFolded, trans, onOpenRun, onOpenPanel } = props;
  const [run] = card.runs;
  const isOne = card.runs.length === 1 && run !== undefined;
  return (
    <details className="jp-MLOpsRunCard" open={!isFolded}>
      <Summary {...props} />
      {isOne ? <OneRun {...props} run={run} /> : <ManyRuns {...props} />}
      <p className="jp-MLOpsRunCard-links">
        {isOne && (
          <button
            type="button"
            className="jp-MLOpsLink"
            onClick={() => onOpenRun(run)}
          >
            {trans.__('Open this run')}
          </button>
        )}
        <button type="button" className="jp-MLOpsLink" onClick={onOpenPanel}>
          {trans.__('Open the panel')}
        </button>
      </p>
    </details>
  );
}
