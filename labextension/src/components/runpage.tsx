/**
 * A run as a page: everything that it keeps.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRunAgain } from '../runagain';
import type {
  ICellsPage,
  IComparison,
  ICurve,
  IJob,
  IRun,
  IRunDetails,
  IRunsPage,
  ISurroundings,
  MetricValue,
  OtherRun
} from '../tokens';
import { Pending } from './answer';
import { Curve } from './curve';
import { Figures, Files } from './files';
import { formatDuration, formatMetric, sortMetrics } from './format';
import { Entries } from './entries';
import { useGrowing, useGrowingAnswer } from './growing';
import { nameStatus, Parameters } from './run';
import { RunButtons } from './runbuttons';
import { Code, Datasets, Environment } from './surroundings';
import { listTags } from './tags';
import { WhatChanged } from './whatchanged';

/** So many curves are asked for at once. */
const CURVES_AT_ONCE = 12;

/** Entries of a curve: two for each unit of its width. */
const PIXELS = 400;

/** What a page asks of the server. */
export interface IRunQuestions {
  readonly onCurve: (key: string, pixels: number) => Promise<ICurve>;
  readonly onCells: (offset: number) => Promise<ICellsPage>;
  readonly onSurroundings: () => Promise<ISurroundings>;
  readonly onArtifact: (path: string) => Promise<Blob>;
  readonly onChildren: () => Promise<IRunsPage>;
  readonly onOther: (beside: OtherRun, offset: number) => Promise<IComparison>;
}

export interface IRunPageProps {
  readonly run: IRunDetails;
  /** Counts the answers about the run, so that curves grow with it. */
  readonly revision: number;
  readonly questions: IRunQuestions;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onOpen: (runId: string, name: string) => void;
  readonly onCompare: (runs: readonly IRun[]) => void;
  readonly onOpenFile: (path: string) => void;
  readonly onOpenCode: (run: IRunDetails) => Promise<void>;
  /** The last reproduction of the run that this server has begun. */
  readonly job: IJob | null;
  readonly again: IRunAgain;
}

function Metric(
  props: IRunPageProps & {
    readonly name: string;
    readonly value: MetricValue;
  }
): React.JSX.Element {
  const { name, value, questions, revision, locale, trans } = props;
  const answer = useGrowingAnswer(
    () => questions.onCurve(name, PIXELS),
    [name],
    revision
  );
  const curve = answer.value;
  return (
    <div className="jp-MLOpsCard">
      <h3 title={name}>{name}</h3>
      <p className="jp-MLOpsCard-value" title={String(value)}>
        {formatMetric(value, locale, 6)}
      </p>
      <Pending answer={answer} trans={trans} />
      {curve && curve.count > 1 && (
        <>
          <Curve curve={curve} locale={locale} trans={trans} />
          <p className="jp-MLOpsCard-small">
            {trans.__('%1 points', curve.count.toLocaleString(locale))}
          </p>
        </>
      )}
    </div>
  );
}

function Metrics(props: IRunPageProps): React.JSX.Element {
  const { run, trans } = props;
  const [shown, setShown] = React.useState(CURVES_AT_ONCE);
  const metrics = sortMetrics(run.metrics);
  return (
    <section aria-label={trans.__('Metrics')}>
      <h2>{trans.__('Metrics')}</h2>
      {metrics.length === 0 && (
        <p>{trans.__('This run has logged no metric.')}</p>
      )}
      <div className="jp-MLOpsGrid">
        {metrics.slice(0, shown).map(([name, value]) => (
          <Metric {...props} key={name} name={name} value={value} />
        ))}
      </div>
      {metrics.length > shown && (
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          onClick={() => setShown(shown + CURVES_AT_ONCE)}
        >
          {trans.__('Show more metrics')}
        </button>
      )}
    </section>
  );
}

/** Where the run stands: in which run, and which runs are in it. */
function Family(props: IRunPageProps): React.JSX.Element | null {
  const { run, questions, revision, trans } = props;
  // The runs in a run that has ended are asked for once.
  const mark = run.status === 'running' ? revision : run.status;
  const page = useGrowing(() => questions.onChildren(), [run.run_id], mark);
  const children = page?.runs ?? [];
  const parent = run.parent_run_id;
  if (parent === null && children.length === 0) {
    return null;
  }
  const link = (runId: string, name: string) => (
    <button
      type="button"
      className="jp-MLOpsLink"
      onClick={() => props.onOpen(runId, name)}
    >
      {name}
    </button>
  );
  return (
    <section aria-label={trans.__('Related runs')}>
      <h2>{trans.__('Related runs')}</h2>
      {parent !== null && (
        <p>
          {trans.__('Part of')} {link(parent, parent.slice(-8))}
        </p>
      )}
      {children.length > 0 && (
        <ul className="jp-MLOpsChildren">
          {children.map((child: IRun) => (
            <li key={child.run_id}>
              {link(child.run_id, child.name)}{' '}
              <span className="jp-MLOpsCard-small">
                {nameStatus(child.status, trans)}
              </span>
            </li>
          ))}
        </ul>
      )}
      {page?.has_more && (
        <p>{trans.__('More are in the list of all notebooks.')}</p>
      )}
    </section>
  );
}

function Facts(props: IRunPageProps): React.JSX.Element {
  const { run, locale, trans } = props;
  const facts: [string, string | null][] = [
    [trans.__('Status'), nameStatus(run.status, trans)],
    [
      trans.__('Started'),
      new Date(run.started_at).toLocaleString(locale, {
        dateStyle: 'medium',
        timeStyle: 'medium'
      })
    ],
    [
      trans.__('Duration'),
      run.duration_s === null ? null : formatDuration(run.duration_s, locale)
    ],
    [trans.__('Experiment'), run.experiment],
    [trans.__('Notebook'), run.notebook],
    [trans.__('User'), [run.user, run.host].filter(Boolean).join(' @ ')],
    [trans.__('Run id'), run.run_id]
  ];
  return (
    <Entries
      title={trans.__('Run')}
      entries={facts.filter((fact): fact is [string, string] => !!fact[1])}
    />
  );
}

export function RunPageView(props: IRunPageProps): React.JSX.Element {
  const { run, questions, locale, trans } = props;
  const error = run.tags['mlops.error'];
  const files = {
    artifacts: run.artifacts,
    count: run.artifact_count,
    locale,
    trans,
    onRead: questions.onArtifact
  };
  return (
    <>
      <h1>{run.name}</h1>
      <RunButtons {...props} />
      {typeof error === 'string' && (
        <p className="jp-MLOpsRun-error">{error}</p>
      )}
      <div className="jp-MLOpsGrid jp-mod-facts">
        <div>
          <Facts {...props} />
        </div>
        <div>
          <Parameters run={run} trans={trans} />
          <Entries title={trans.__('Tags')} entries={listTags(run)} />
        </div>
      </div>
      <WhatChanged {...props} onAsk={questions.onOther} />
      <Metrics {...props} />
      <Figures {...files} />
      <Family {...props} />
      <Datasets datasets={run.datasets} locale={locale} trans={trans} />
      <Files {...files} />
      <Environment run={run} trans={trans} onAsk={questions.onSurroundings} />
      <Code
        count={run.cell_count}
        locale={locale}
        trans={trans}
        onAsk={questions.onCells}
      />
    </>
  );
}
