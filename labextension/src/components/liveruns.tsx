/**
 * The runs under way, or the last one, with the curves of their metrics as they grow.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { statusIcons } from '../icons';
import type { ICurve, IRun, MetricValue } from '../tokens';
import { Curve } from './curve';
import { formatDuration, formatMetric, sortMetrics } from './format';
import { useGrowing } from './growing';
import { nameStatus } from './run';

/** So many metrics are shown of each run; its page has the others. */
const MOST_METRICS = 4;

/** Entries of a curve: one for each unit of its width. */
const PIXELS = 320;

export interface ILiveRunsProps {
  readonly runs: readonly IRun[];
  /** Counts the answers, so that curves grow with what they show. */
  readonly revision: number;
  /** The server's clock, in milliseconds since the epoch. */
  readonly now: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onCurve: (
    runId: string,
    key: string,
    pixels: number
  ) => Promise<ICurve>;
  readonly onOpen: (run: IRun) => void;
}

function LiveMetric(
  props: ILiveRunsProps & {
    readonly run: IRun;
    readonly name: string;
    readonly value: MetricValue;
  }
): React.JSX.Element {
  const { run, name, value, revision, locale, trans, onCurve } = props;
  // The curve of a run that has ended is asked for once.
  const mark = run.status === 'running' ? revision : run.status;
  const curve = useGrowing(
    () => onCurve(run.run_id, name, PIXELS),
    [run.run_id, name],
    mark
  );
  return (
    <div className="jp-MLOpsLive-metric">
      <p className="jp-MLOpsLive-line">
        <span className="jp-MLOpsLive-key" title={name}>
          {name}
        </span>{' '}
        <strong title={String(value)}>{formatMetric(value, locale)}</strong>
      </p>
      {curve && curve.count > 1 && (
        <Curve curve={curve} locale={locale} trans={trans} />
      )}
    </div>
  );
}

function LiveRun(
  props: ILiveRunsProps & { readonly run: IRun }
): React.JSX.Element {
  const { run, now, locale, trans, onOpen } = props;
  const StatusIcon = statusIcons[run.status];
  const seconds =
    run.duration_s ?? Math.max(0, now - Date.parse(run.started_at)) / 1000;
  const all = sortMetrics(run.metrics);
  // What the machine did is of interest where nothing else was logged.
  const own = all.filter(([name]) => !name.startsWith('system/'));
  const metrics = (own.length > 0 ? own : all).slice(0, MOST_METRICS);
  const left = all.length - metrics.length;
  return (
    <li className="jp-MLOpsLive-run" data-status={run.status}>
      <button
        type="button"
        className="jp-MLOpsLive-name"
        title={run.name}
        onClick={() => onOpen(run)}
      >
        <span className="jp-MLOpsRun-icon" aria-hidden>
          <StatusIcon.react tag="span" />
        </span>
        <span className="jp-MLOpsRun-name">{run.name}</span>{' '}
        <span className="jp-MLOpsLive-facts">
          {nameStatus(run.status, trans)} · {formatDuration(seconds, locale)}
        </span>
      </button>
      {metrics.map(([name, value]) => (
        <LiveMetric {...props} key={name} name={name} value={value} />
      ))}
      {left > 0 && (
        <p className="jp-MLOpsLive-facts">
          {trans._n(
            'One more metric on its page.',
            '%1 more metrics on its page.',
            left
          )}
        </p>
      )}
    </li>
  );
}

export function LiveRuns(props: ILiveRunsProps): React.JSX.Element | null {
  const { runs, trans } = props;
  if (runs.length === 0) {
    return null;
  }
  const isLive = runs.some(({ status }) => status === 'running');
  const title = isLive ? trans.__('Under way') : trans.__('Last run');
  return (
    <section aria-label={title}>
      <h4 className="jp-MLOpsNotebook-title">{title}</h4>
      <ul className="jp-MLOpsLive" aria-label={title}>
        {runs.map(run => (
          <LiveRun {...props} key={run.run_id} run={run} />
        ))}
      </ul>
    </section>
  );
}
