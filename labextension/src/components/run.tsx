/**
 * One run: a row that opens to everything the run has logged.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { statusIcons } from '../icons';
import type { IRun, MetricValue, RunStatus } from '../tokens';
import { SmallButton } from './changebar';
import { readColumn, splitColumn } from './columns';
import { NameForm, TagForm } from './forms';
import { isPinned } from './groups';
import { Entries, EntryList } from './entries';
import { Metrics, MOST_AT_ONCE } from './runmetrics';
import { Tags } from './tags';
import {
  formatAge,
  formatDuration,
  formatMetric,
  formatParam,
  sortMetrics
} from './format';

/** So many metrics stand in a closed row. */
const METRICS_IN_ROW = 3;

/** Parameters at their defaults fold away only where that saves room. */
const LEAST_FOLDED = 4;

export interface IRunRowProps {
  readonly run: IRun;
  /** Metrics to prefer, so that the rows of a list show the same ones. */
  readonly keyMetrics: readonly string[];
  /** What stands in the rows, such as `params.C`; null for the metrics to prefer. */
  readonly columns: readonly string[] | null;
  readonly isOpen: boolean;
  readonly isChosen: boolean;
  /** Whether the Tab key stops here; arrows reach the other rows. */
  readonly isTabStop: boolean;
  /** The server's clock, in milliseconds since the epoch. */
  readonly now: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onToggle: (runId: string) => void;
  readonly onFocus: (runId: string) => void;
  readonly onChoose: (run: IRun) => void;
  readonly actions: IRunActions;
}

/** What can be done with a run; each says whether it was done. */
export interface IRunActions {
  readonly onOpen: (run: IRun) => void;
  readonly onRename: (run: IRun, name: string) => Promise<boolean>;
  readonly onTag: (run: IRun, key: string, value: string) => Promise<boolean>;
  readonly onUntag: (run: IRun, key: string) => void;
  readonly onPin: (run: IRun, isPinned: boolean) => void;
  readonly onDelete: (run: IRun) => void;
}

/** Give a status its word. */
export function nameStatus(
  status: RunStatus,
  trans: TranslationBundle
): string {
  switch (status) {
    case 'running':
      return trans.__('Running');
    case 'finished':
      return trans.__('Finished');
    case 'failed':
      return trans.__('Failed');
    case 'interrupted':
      return trans.__('Interrupted');
  }
}

function pickRowMetrics(
  metrics: Readonly<Record<string, MetricValue>>,
  keyMetrics: readonly string[]
): [string, MetricValue][] {
  const rank = (key: string) => {
    const place = keyMetrics.indexOf(key);
    return place < 0 ? keyMetrics.length : place;
  };
  return sortMetrics(metrics)
    .sort((one, other) => rank(one[0]) - rank(other[0]))
    .slice(0, METRICS_IN_ROW);
}

/** What stands in a closed row: the chosen columns, or the metrics to prefer. */
function pickRowEntries(props: IRunRowProps): [string, string, string][] {
  const { run, columns, locale } = props;
  if (columns === null) {
    return pickRowMetrics(run.metrics, props.keyMetrics).map(([key, value]) => [
      key,
      formatMetric(value, locale),
      String(value)
    ]);
  }
  return columns.map(column => {
    const [kind, key] = splitColumn(column);
    const value = readColumn(run, column);
    if (value === undefined) {
      return [key, '–', ''];
    }
    const whole = formatParam(value);
    return [
      key,
      kind === 'metrics' ? formatMetric(value as MetricValue, locale) : whole,
      whole
    ];
  });
}

/** Parameters: those that were set at once, those at their defaults on demand. */
export function Parameters(
  props: Pick<IRunRowProps, 'run' | 'trans'>
): React.JSX.Element | null {
  const { run, trans } = props;
  const entries = Object.entries(run.params).map(
    ([key, value]) => [key, formatParam(value)] as const
  );
  // Auto-logging notes what differs from the defaults; other runs have no defaults.
  const noted = run.tags['params.changed'];
  const changed = typeof noted === 'string' ? noted.split(', ') : null;
  const shown = entries
    .filter(([key]) => changed === null || changed.includes(key))
    .slice(0, MOST_AT_ONCE);
  const folded = entries.filter(entry => !shown.includes(entry));
  if (folded.length < LEAST_FOLDED) {
    return <Entries title={trans.__('Parameters')} entries={entries} />;
  }
  return (
    <>
      <Entries title={trans.__('Parameters')} entries={shown} />
      <details className="jp-MLOpsRun-more">
        <summary>
          {trans._n('%1 more parameter', '%1 more parameters', folded.length)}
        </summary>
        <EntryList entries={folded} />
      </details>
    </>
  );
}

/** The first metrics of a run, as many as fit into a row. */
function RowMetrics(props: IRunRowProps): React.JSX.Element | null {
  const entries = pickRowEntries(props);
  if (entries.length === 0) {
    return null;
  }
  return (
    <span className="jp-MLOpsRun-metrics" data-chosen={props.columns !== null}>
      {entries.map(([key, value, whole]) => (
        <span className="jp-MLOpsRun-metric" key={key}>
          <span className="jp-MLOpsRun-metricKey" title={key}>
            {key}
          </span>{' '}
          <span className="jp-MLOpsRun-metricValue" title={whole}>
            {value}
          </span>
        </span>
      ))}
    </span>
  );
}

/** What stands in a row, open or closed. */
function Summary(props: IRunRowProps): React.JSX.Element {
  const { run, trans, locale, now } = props;
  const started = Date.parse(run.started_at);
  const StatusIcon = statusIcons[run.status];
  const duration =
    run.duration_s ??
    (run.status === 'running' ? Math.max(0, now - started) / 1000 : null);
  return (
    <>
      <span className="jp-MLOpsRun-icon" aria-hidden>
        <StatusIcon.react tag="span" />
      </span>
      <span className="jp-MLOpsRun-main">
        <span className="jp-MLOpsRun-line">
          <span className="jp-MLOpsRun-name" title={run.name}>
            {run.name}
          </span>
          <span className="jp-MLOpsRun-caret" aria-hidden>
            <caretRightIcon.react tag="span" />
          </span>
        </span>{' '}
        <span className="jp-MLOpsRun-line jp-MLOpsRun-facts">
          <span>
            <span className="jp-MLOpsRun-status">
              {nameStatus(run.status, trans)}
            </span>
            {duration !== null && (
              <>
                {' · '}
                <span className="jp-MLOpsRun-duration">
                  {/* Nobody saw the end of an interrupted run, only its last record. */}
                  {run.status === 'interrupted' && '≥ '}
                  {formatDuration(duration, locale)}
                </span>
              </>
            )}
          </span>{' '}
          <time
            dateTime={run.started_at}
            title={new Date(started).toLocaleString(locale)}
          >
            {formatAge(started, now, locale)}
          </time>
        </span>{' '}
        {!props.isOpen && <RowMetrics {...props} />}
      </span>
    </>
  );
}

/** What can be done with a run, with a form where something must be typed. */
function Actions({ run, trans, actions }: IRunRowProps): React.JSX.Element {
  const [form, setForm] = React.useState<'name' | 'tag' | null>(null);
  const close = () => setForm(null);
  return (
    <>
      <div
        className="jp-MLOpsRun-actions"
        role="group"
        aria-label={trans.__('What can be done with this run')}
      >
        <SmallButton
          label={trans.__('Open')}
          onClick={() => actions.onOpen(run)}
        />
        <SmallButton
          label={trans.__('Rename')}
          onClick={() => setForm('name')}
        />
        <SmallButton label={trans.__('Tag')} onClick={() => setForm('tag')} />
        <SmallButton
          label={isPinned(run) ? trans.__('Unpin') : trans.__('Pin')}
          className="jp-MLOpsRun-pin"
          title={trans.__('A pinned run stays above all others')}
          onClick={() => actions.onPin(run, !isPinned(run))}
        />
        <SmallButton
          label={trans.__('Delete')}
          isOff={run.status === 'running'}
          onClick={() => actions.onDelete(run)}
        />
      </div>
      {form === 'name' && (
        <NameForm
          name={run.name}
          trans={trans}
          onSave={name => actions.onRename(run, name)}
          onClose={close}
        />
      )}
      {form === 'tag' && (
        <TagForm
          trans={trans}
          onSave={(key, value) => actions.onTag(run, key, value)}
          onClose={close}
        />
      )}
    </>
  );
}

/** Everything a run has logged. */
function Details(props: IRunRowProps): React.JSX.Element {
  const { run, trans, locale } = props;
  const error = run.tags['mlops.error'];
  return (
    <>
      <Actions {...props} />
      {typeof error === 'string' && (
        <p className="jp-MLOpsRun-error">{error}</p>
      )}
      <Metrics {...props} />
      <Parameters {...props} />
      <Tags run={run} trans={trans} onRemove={props.actions.onUntag} />
      <Entries
        title={trans.__('Run')}
        entries={[
          [trans.__('Experiment'), run.experiment],
          [
            trans.__('Started'),
            new Date(run.started_at).toLocaleString(locale, {
              dateStyle: 'medium',
              timeStyle: 'short'
            })
          ],
          [trans.__('Run id'), run.run_id]
        ]}
      />
    </>
  );
}

export function RunRow(props: IRunRowProps): React.JSX.Element {
  const { run, isOpen } = props;
  // Not the run's own: the panel and a page of the project may both show it.
  const detailsId = React.useId();
  return (
    <li
      className="jp-MLOpsRun"
      data-status={run.status}
      data-run-id={run.run_id}
    >
      <input
        type="checkbox"
        className="jp-MLOpsRun-choice"
        aria-label={props.trans.__('Choose %1', run.name)}
        checked={props.isChosen}
        tabIndex={props.isTabStop ? 0 : -1}
        onChange={() => props.onChoose(run)}
        onFocus={() => props.onFocus(run.run_id)}
      />
      <button
        type="button"
        className="jp-MLOpsRun-summary"
        aria-expanded={isOpen}
        aria-controls={isOpen ? detailsId : undefined}
        tabIndex={props.isTabStop ? 0 : -1}
        onClick={() => props.onToggle(run.run_id)}
        onFocus={() => props.onFocus(run.run_id)}
      >
        <Summary {...props} />
      </button>
      {isOpen && (
        <div className="jp-MLOpsRun-details" id={detailsId}>
          <Details {...props} />
        </div>
      )}
    </li>
  );
}
