/**
 * Whether a run gives the same again: what was found, and how far a new try is.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IJob, IRun } from '../tokens';
import { SmallButton } from './changebar';

/** Tags that a reproduction leaves. */
const VERDICT = 'mlops.reproduction';
const VERDICT_AT = 'mlops.reproduction_at';
const VERDICT_RUN = 'mlops.reproduction_run';
const REPRODUCES = 'mlops.reproduces';

/** How a verdict begins that was given without running anything. */
const OTHER_INPUT = 'differs: input ';

export interface IReproductionProps {
  readonly run: IRun;
  /** What this server has begun last; null for nothing. */
  readonly job: IJob | null;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onOpen: (runId: string, name: string) => void;
  readonly onCancel: () => void;
  readonly onRunAnyway: () => void;
}

/** What a tag says; empty where there is none. */
export function readTag(run: IRun, key: string): string {
  const said = run.tags[key];
  return typeof said === 'string' ? said : '';
}

/** Whether a job goes on. */
export function isReproducing(job: IJob | null): boolean {
  return job?.status === 'running' || job?.status === 'cancelling';
}

function AtWork(props: IReproductionProps): React.JSX.Element {
  const { job, trans } = props;
  const step = job?.steps.find(({ status }) => status === 'running');
  const words =
    step && step.cells_total > 0
      ? trans.__(
          'Reproducing: %1 of %2 cells done.',
          step.cells_done,
          step.cells_total
        )
      : trans.__('Reproducing in a copy of its folder…');
  return (
    <div className="jp-MLOpsRunButtons">
      <span role="status">{words}</span>
      <SmallButton
        label={trans.__('Cancel')}
        isOff={job?.status === 'cancelling'}
        onClick={props.onCancel}
      />
    </div>
  );
}

function Verdict(props: IReproductionProps): React.JSX.Element | null {
  const { run, locale, trans } = props;
  const verdict = readTag(run, VERDICT);
  const at = Date.parse(readTag(run, VERDICT_AT));
  const again = readTag(run, VERDICT_RUN);
  if (!verdict || Number.isNaN(at)) {
    return null;
  }
  const isSame = verdict.startsWith('same');
  const date = new Date(at).toLocaleString(locale);
  return (
    <>
      <p
        className={isSame ? 'jp-MLOpsDone' : 'jp-MLOpsRun-error'}
        role="status"
      >
        {trans.__('Reproduced on %1: %2', date, verdict)}
      </p>
      <div className="jp-MLOpsRunButtons">
        {again && (
          <SmallButton
            label={trans.__('Open the new run')}
            onClick={() => props.onOpen(again, run.name)}
          />
        )}
        {!again && verdict.startsWith(OTHER_INPUT) && (
          <SmallButton
            label={trans.__('Run it anyway')}
            title={trans.__('Run its code on the data of today, and compare')}
            onClick={props.onRunAnyway}
          />
        )}
      </div>
    </>
  );
}

export function Reproduction(
  props: IReproductionProps
): React.JSX.Element | null {
  const { run, job, trans } = props;
  const origin = readTag(run, REPRODUCES);
  const notices = isReproducing(job) ? [] : (job?.notices ?? []);
  return (
    <>
      {origin && (
        <div className="jp-MLOpsRunButtons">
          <span>{trans.__('This run was made to reproduce another one.')}</span>
          <SmallButton
            label={trans.__('Open that run')}
            onClick={() => props.onOpen(origin, run.name)}
          />
        </div>
      )}
      {isReproducing(job) ? <AtWork {...props} /> : <Verdict {...props} />}
      {!isReproducing(job) && job?.problem && (
        <p className="jp-MLOpsRun-error" role="alert">
          {trans.__('It was not reproduced.')} {job.problem.message}{' '}
          {job.problem.hint}
        </p>
      )}
      {notices.length > 0 && (
        <details>
          <summary>{trans.__('What was not checked, and notes')}</summary>
          <ul>
            {notices.map(notice => (
              <li key={notice}>{notice}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
