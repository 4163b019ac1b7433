/**
 * The pipeline of a notebook: what can be done, what is in the way, its steps, its parameters.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IActiveCell } from '../bridge';
import type { IPipelineState } from '../steering';
import { isAtWork } from '../steering';
import type {
  ICellPlace,
  IJob,
  IJobRequest,
  IParameter,
  IPipelineProblem,
  IProblem,
  ISuggestion
} from '../tokens';
import { SmallButton } from './changebar';
import { formatDuration } from './format';
import { Rail } from './rail';
import { explainProblem } from './states';
import type { IStepActions } from './stepdetails';
import { Suggestions } from './suggestions';
import { TagForm } from './tagform';

/** What can be done with the pipeline. */
export interface IPipelineActions extends IStepActions {
  readonly onCancel: () => void;
  readonly onExport: () => void;
  readonly onSave: () => void;
  readonly onDismiss: () => void;
  readonly onOpenRun: (runId: string) => void;
  readonly onTag: (tags: readonly string[]) => void;
  readonly onSuggest: () => Promise<readonly ISuggestion[]>;
  readonly onTakeSuggestions: (found: readonly ISuggestion[]) => void;
}

export interface IPipelineViewProps {
  readonly state: IPipelineState;
  readonly actions: IPipelineActions;
  /** Why what was asked for last was not done. */
  readonly problem: IProblem | null;
  /** The file that was written last. */
  readonly exported: string | null;
  readonly cell: IActiveCell | null;
  readonly isDirty: boolean;
  readonly isReadOnly: boolean;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

function nameJob(job: IJob, trans: TranslationBundle): string {
  const isVerifying = job.mode === 'verify';
  switch (job.status) {
    case 'running':
      return isVerifying ? trans.__('Verifying…') : trans.__('Running…');
    case 'cancelling':
      return trans.__('Ending…');
    case 'finished':
      return trans.__('Finished');
    case 'failed':
      return trans.__('Failed');
    case 'interrupted':
      return trans.__('Cancelled');
    case 'refused':
      return trans.__('Not started');
    case 'died':
      return trans.__('The process ended unexpectedly');
  }
}

/** What is in the way, with a way to the cell. */
function InTheWay(props: {
  readonly problem: IPipelineProblem;
  readonly trans: TranslationBundle;
  readonly onGoTo: (place: ICellPlace) => void;
}): React.JSX.Element {
  const { problem, trans, onGoTo } = props;
  const { cell } = problem;
  return (
    <div className="jp-MLOpsProblem" role="alert">
      <p className="jp-MLOpsProblem-message">{problem.message}</p>
      {problem.hint && <p>{problem.hint}</p>}
      {cell !== null && (
        <SmallButton
          label={trans.__('Go to cell %1', cell + 1)}
          onClick={() => onGoTo({ index: cell, id: null })}
        />
      )}
    </div>
  );
}

/** What became of the last run. */
function Outcome(
  props: IPipelineViewProps & { readonly job: IJob }
): React.JSX.Element {
  const { job, actions, locale, trans } = props;
  const end = Date.parse(job.ended_at ?? job.now);
  const seconds = Math.max(0, end - Date.parse(job.started_at)) / 1000;
  const runId = job.run_id;
  return (
    <div className="jp-MLOpsOutcome" data-status={job.status}>
      <div className="jp-MLOpsChangeBar">
        <span className="jp-MLOpsChangeBar-words" role="status">
          {nameJob(job, trans)} · {formatDuration(seconds, locale)}
        </span>
        {isAtWork(job) && (
          <SmallButton
            label={trans.__('Cancel')}
            isOff={job.status === 'cancelling'}
            onClick={actions.onCancel}
          />
        )}
        {runId !== null && (
          <SmallButton
            label={trans.__('Open run')}
            onClick={() => actions.onOpenRun(runId)}
          />
        )}
      </div>
      {job.verification !== null && (
        <p className="jp-MLOpsVerdict" data-verdict={job.verdict}>
          {job.verification}
        </p>
      )}
      {job.problem && (
        <InTheWay problem={job.problem} trans={trans} onGoTo={actions.onGoTo} />
      )}
      {job.notices.length > 0 && (
        <details className="jp-MLOpsRun-more jp-MLOpsNotices">
          <summary>
            {trans._n('%1 notice', '%1 notices', job.notices.length)}
          </summary>
          <ul>
            {job.notices.map((notice, place) => (
              <li key={place}>{notice}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Parameters(props: {
  readonly parameters: readonly IParameter[];
  readonly values: ReadonlyMap<string, string>;
  readonly trans: TranslationBundle;
  readonly onChange: (values: ReadonlyMap<string, string>) => void;
}): React.JSX.Element | null {
  const { parameters, values, trans, onChange } = props;
  if (parameters.length === 0) {
    return null;
  }
  return (
    <details className="jp-MLOpsParameters">
      <summary>{trans.__('Parameters of the next run')}</summary>
      {parameters.map(({ name, type, default: usual, help }) => (
        <label key={name} title={help}>
          <span>
            {name} <small>{type}</small>
          </span>
          <input
            className="jp-MLOpsInput jp-mod-styled"
            placeholder={usual}
            value={values.get(name) ?? ''}
            onChange={event =>
              onChange(new Map(values).set(name, event.target.value))
            }
          />
        </label>
      ))}
    </details>
  );
}

function Toolbar(
  props: IPipelineViewProps & { readonly onRun: (request: IJobRequest) => void }
): React.JSX.Element {
  const { state, actions, isDirty, isReadOnly, trans, onRun } = props;
  const isOff = actions.isBusy || state.pipeline.steps.length === 0;
  return (
    <>
      <div
        className="jp-MLOpsChangeBar"
        role="group"
        aria-label={trans.__('What can be done with the pipeline')}
      >
        <SmallButton
          label={trans.__('Run')}
          title={trans.__('Save, and run what the cache does not have')}
          isOff={isOff}
          onClick={() => onRun({})}
        />
        <SmallButton
          label={trans.__('Run all')}
          title={trans.__('Save, and run every step again')}
          isOff={isOff}
          onClick={() => onRun({ force: true })}
        />
        <SmallButton
          label={trans.__('Verify')}
          title={trans.__(
            'Compare every value with the notebook run from top to bottom'
          )}
          isOff={isOff}
          onClick={() => onRun({ mode: 'verify' })}
        />
        <SmallButton
          label={trans.__('Export script')}
          title={trans.__('Write a script beside the notebook')}
          isOff={isOff}
          onClick={actions.onExport}
        />
      </div>
      {isDirty && !isReadOnly && (
        <div className="jp-MLOpsChangeBar" role="status">
          <span className="jp-MLOpsChangeBar-words">
            {trans.__('The notebook has changes that are not saved.')}
          </span>
          <SmallButton label={trans.__('Save')} onClick={actions.onSave} />
        </div>
      )}
    </>
  );
}

/** What was refused, and what was written. */
function Said(props: IPipelineViewProps): React.JSX.Element | null {
  const { problem, exported, actions, trans } = props;
  if (problem) {
    const { title, hint } = explainProblem(problem, trans);
    return (
      <div className="jp-MLOpsChangeBar jp-mod-problem" role="alert">
        <span className="jp-MLOpsChangeBar-words">
          {title}. {problem.message} {hint}
        </span>
        <SmallButton label={trans.__('Dismiss')} onClick={actions.onDismiss} />
      </div>
    );
  }
  return exported === null ? null : (
    <div className="jp-MLOpsChangeBar" role="status">
      <span className="jp-MLOpsChangeBar-words">
        {trans.__('Wrote %1', exported)}
      </span>
      <SmallButton
        label={trans.__('Open')}
        onClick={() => actions.onOpenFile(exported)}
      />
      <SmallButton label={trans.__('Dismiss')} onClick={actions.onDismiss} />
    </div>
  );
}

export function PipelineView(props: IPipelineViewProps): React.JSX.Element {
  const { state, actions, locale, trans } = props;
  const { pipeline, job } = state;
  // No object: each has a constructor, and a parameter may be called so.
  const [values, setValues] = React.useState<ReadonlyMap<string, string>>(
    new Map()
  );
  const params = Object.fromEntries(
    pipeline.parameters
      .map(({ name }) => [name, values.get(name) ?? ''] as const)
      .filter(([, value]) => value !== '')
  );
  const onRun = (request: IJobRequest) => actions.onRun({ ...request, params });
  return (
    <>
      <div className="jp-MLOpsRuns-bars">
        <Toolbar {...props} onRun={onRun} />
        <Said {...props} />
      </div>
      {job && <Outcome {...props} job={job} />}
      {pipeline.problem && (
        <InTheWay
          problem={pipeline.problem}
          trans={trans}
          onGoTo={actions.onGoTo}
        />
      )}
      {!pipeline.is_tagged && (
        <Suggestions
          actions={actions}
          isReadOnly={props.isReadOnly}
          trans={trans}
        />
      )}
      <Parameters
        parameters={pipeline.parameters}
        values={values}
        trans={trans}
        onChange={setValues}
      />
      {pipeline.steps.length > 0 && (
        <Rail
          pipeline={pipeline}
          job={job}
          isEdited={state.isEdited}
          actions={{ ...actions, onRun }}
          locale={locale}
          trans={trans}
        />
      )}
      <TagForm
        cell={props.cell}
        steps={pipeline.steps.map(step => step.name)}
        isReadOnly={props.isReadOnly}
        isBusy={actions.isBusy}
        trans={trans}
        onTag={actions.onTag}
      />
    </>
  );
}
