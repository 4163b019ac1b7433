/**
 * A step opened: what reaches it and why, what can be done with it, what became of it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type {
  ICellPlace,
  IDependency,
  IDependencyEnd,
  IJob,
  IJobRequest,
  IJobStep,
  IPipeline,
  IStep
} from '../tokens';
import { Pending, useAnswer } from './answer';
import { SmallButton } from './changebar';
import { describeSize } from './crossings';

/** What can be done with a step. */
export interface IStepActions {
  readonly onRun: (request: IJobRequest) => void;
  readonly onGoTo: (place: ICellPlace) => void;
  readonly onOpenFile: (path: string) => void;
  readonly onExplain: (step: string) => Promise<readonly IDependency[]>;
  /** Whether a run goes on, or is about to. */
  readonly isBusy: boolean;
}

interface IStepDetailsProps {
  readonly pipeline: IPipeline;
  readonly job: IJob | null;
  readonly step: IStep;
  readonly done: IJobStep | undefined;
  readonly actions: IStepActions;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

/** What crosses, from where, and how big it was in the last run. */
function Crossing(
  props: IStepDetailsProps & { readonly found: IDependency }
): React.JSX.Element {
  const { found, pipeline, locale, trans } = props;
  const { source, name } = found;
  const size = describeSize(pipeline, source, name, locale, trans);
  return (
    <>
      <code>{name}</code> {trans.__('from %1', source)}
      {size && <span className="jp-MLOpsStep-size"> · {size}</span>}
    </>
  );
}

function End(props: {
  readonly label: string;
  readonly end: IDependencyEnd;
  readonly trans: TranslationBundle;
  readonly onGoTo: (place: ICellPlace) => void;
}): React.JSX.Element {
  const { label, end, trans, onGoTo } = props;
  return (
    <span className="jp-MLOpsWhy-end">
      {label}{' '}
      <button
        type="button"
        className="jp-MLOpsLink"
        title={end.text}
        onClick={() => onGoTo({ index: end.cell, id: null })}
      >
        {trans.__('cell %1, line %2', end.cell + 1, end.line)}
      </button>
      {!end.is_sure && (
        <span className="jp-MLOpsWhy-unsure" title={end.rule}>
          {' '}
          {trans.__('perhaps')}
        </span>
      )}
    </span>
  );
}

/** Each value that reaches the step, with both of its ends as links into the notebook. */
function Why(props: IStepDetailsProps): React.JSX.Element | null {
  const { step, actions, pipeline, trans } = props;
  const isReached = pipeline.edges.some(edge => edge.target === step.name);
  const answer = useAnswer(
    () => (isReached ? actions.onExplain(step.name) : Promise.resolve([])),
    [step.name, isReached, pipeline]
  );
  const found = (answer.value ?? []).filter(each => each.target === step.name);
  if (!isReached) {
    return null;
  }
  return (
    <>
      <h4 className="jp-MLOpsRun-group">{trans.__('Needs')}</h4>
      <Pending answer={answer} trans={trans} />
      <ul className="jp-MLOpsWhy">
        {found.map(each => (
          <li key={`${each.source} ${each.name}`}>
            <Crossing {...props} found={each} />
            <End
              label={trans.__('made in')}
              end={each.written}
              trans={trans}
              onGoTo={actions.onGoTo}
            />
            <End
              label={trans.__('used in')}
              end={each.used}
              trans={trans}
              onGoTo={actions.onGoTo}
            />
          </li>
        ))}
      </ul>
    </>
  );
}

/** Say what comes next; of a cached result the server names the second, which people do not read. */
function foretell({ step, locale, trans }: IStepDetailsProps): string {
  const made = Date.parse(/^as made on (.+)$/.exec(step.reason)?.[1] ?? '');
  return step.foreseen !== 'cached' || Number.isNaN(made)
    ? step.reason
    : trans.__(
        'from the cache, as made on %1',
        new Date(made).toLocaleString(locale, {
          dateStyle: 'medium',
          timeStyle: 'short'
        })
      );
}

export function StepDetails(props: IStepDetailsProps): React.JSX.Element {
  const { step, done, actions, pipeline, trans } = props;
  const [first] = step.cells;
  const path = done?.notebook ?? null;
  const ordered = step.after.filter(
    name =>
      !pipeline.edges.some(
        edge => edge.source === name && edge.target === step.name
      )
  );
  return (
    <>
      <div
        className="jp-MLOpsRun-actions"
        role="group"
        aria-label={trans.__('What can be done with this step')}
      >
        {first && (
          <SmallButton
            label={trans.__('Go to cell')}
            onClick={() => actions.onGoTo(first)}
          />
        )}
        <SmallButton
          label={trans.__('Run from here')}
          title={trans.__('Execute this step and all after it')}
          isOff={actions.isBusy || pipeline.problem !== null}
          onClick={() => actions.onRun({ start_at: step.name })}
        />
        <SmallButton
          label={trans.__('Run only this')}
          title={trans.__('The steps before it must be in the cache')}
          isOff={actions.isBusy || pipeline.problem !== null}
          onClick={() => actions.onRun({ only: step.name })}
        />
        {path !== null && (
          <SmallButton
            label={trans.__('Open executed')}
            title={path}
            onClick={() => actions.onOpenFile(path)}
          />
        )}
      </div>
      {done?.message && (
        <p
          className={
            done.status === 'failed' ? 'jp-MLOpsRun-error' : 'jp-MLOpsStep-said'
          }
        >
          {done.message}
        </p>
      )}
      {step.reason && !actions.isBusy && (
        <p className="jp-MLOpsStep-said">
          {trans.__('Next time: %1', foretell(props))}
        </p>
      )}
      {ordered.length > 0 && (
        <p className="jp-MLOpsStep-said">
          {trans.__('Runs after %1', ordered.join(', '))}
        </p>
      )}
      <Why {...props} />
    </>
  );
}
