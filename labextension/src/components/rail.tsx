/**
 * The steps of a pipeline as a list with lanes beside it: one Tab stop, arrow keys between steps.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { stepIcons } from '../icons';
import type { IJob, IJobStep, IPipeline, IStep } from '../tokens';
import { sizeLeaving } from './crossings';
import { formatDuration, formatSize } from './format';
import type { ILaneRow } from './lanes';
import { layoutLanes } from './lanes';
import type { IStepActions } from './stepdetails';
import { StepDetails } from './stepdetails';

/** Distance of two lanes in pixels. */
const LANE_WIDTH = 12;

export interface IRailProps {
  readonly pipeline: IPipeline;
  readonly job: IJob | null;
  /** Whether the file was written after the run: what comes next says more then. */
  readonly isEdited: boolean;
  readonly actions: IStepActions;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

/** What is known of a step: of the run that goes on or was last, else of the next one. */
type Shown = IJobStep['status'] | 'ready' | 'waiting';

function findShown(
  step: IStep,
  done: IJobStep | undefined,
  isEdited: boolean
): Shown {
  if (done && !isEdited) {
    return done.status;
  }
  switch (step.foreseen) {
    case 'cached':
      return 'cached';
    case 'skipped':
      return 'skipped';
    case 'runs':
      return 'ready';
    case 'depends':
      return 'waiting';
  }
}

/** Give what is known of a step its word. */
function nameShown(shown: Shown, trans: TranslationBundle): string {
  switch (shown) {
    case 'pending':
      return trans.__('Waits');
    case 'running':
      return trans.__('Running');
    case 'succeeded':
      return trans.__('Done');
    case 'cached':
      return trans.__('Cached');
    case 'failed':
      return trans.__('Failed');
    case 'skipped':
      return trans.__('Skipped');
    case 'ready':
      return trans.__('Will run');
    case 'waiting':
      return trans.__('May run');
  }
}

/** The lines beside a step; what they say stands in its details in words. */
function Lanes(props: {
  readonly row: ILaneRow;
  readonly count: number;
}): React.JSX.Element {
  const { row, count } = props;
  const at = (lane: number) => lane * LANE_WIDTH + LANE_WIDTH / 2;
  const line = (lane: number, kind: string) => (
    <span
      key={`${kind} ${lane}`}
      className={`jp-MLOpsLane jp-mod-${kind}`}
      style={{ insetInlineStart: at(lane) }}
    />
  );
  return (
    <span
      className="jp-MLOpsLanes"
      aria-hidden
      style={{ width: count * LANE_WIDTH + LANE_WIDTH / 2 }}
    >
      {row.through.map(lane => line(lane, 'through'))}
      {row.into.map(lane => line(lane, 'into'))}
      {row.into
        .filter(lane => lane !== row.lane)
        .map(lane => (
          <span
            key={`branch ${lane}`}
            className="jp-MLOpsLane jp-mod-branch"
            style={{
              insetInlineStart: at(Math.min(lane, row.lane)),
              width: Math.abs(lane - row.lane) * LANE_WIDTH
            }}
          />
        ))}
      {row.hasTail && line(row.lane, 'tail')}
      <span
        className="jp-MLOpsLane jp-mod-node"
        style={{ insetInlineStart: at(row.lane) }}
      />
    </span>
  );
}

function describeCells(step: IStep, trans: TranslationBundle): string {
  const [first] = step.cells;
  return step.cells.length === 1 && first
    ? trans.__('cell %1', first.index + 1)
    : trans._n('%1 cell', '%1 cells', step.cells.length);
}

interface IStepRowProps extends IRailProps {
  readonly step: IStep;
  readonly done: IJobStep | undefined;
  readonly row: ILaneRow;
  readonly laneCount: number;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  readonly onToggle: () => void;
  readonly onFocus: () => void;
}

function Facts(props: IStepRowProps): React.JSX.Element {
  const { step, done, isEdited, locale, trans } = props;
  const shown = findShown(step, done, isEdited);
  const isRunning = shown === 'running' && done && done.cells_total > 0;
  const facts = [
    nameShown(shown, trans),
    isRunning
      ? trans.__('%1 of %2', done.cells_done, done.cells_total)
      : describeCells(step, trans),
    ...(done?.duration_s && !isEdited
      ? [formatDuration(done.duration_s, locale)]
      : []),
    ...(step.loop ? [step.loop] : [])
  ];
  return (
    <span className="jp-MLOpsRun-line jp-MLOpsRun-facts">
      <span className="jp-MLOpsStep-facts">{facts.join(' · ')}</span>
    </span>
  );
}

function StepRow(props: IStepRowProps): React.JSX.Element {
  const { step, done, pipeline, isOpen, isEdited, locale, trans } = props;
  const shown = findShown(step, done, isEdited);
  const Icon = stepIcons[shown];
  const leaving = [
    ...new Set(
      pipeline.edges
        .filter(edge => edge.source === step.name)
        .flatMap(edge => edge.names)
    )
  ];
  const size = sizeLeaving(step);
  const detailsId = React.useId();
  return (
    <li className="jp-MLOpsStep" data-status={shown}>
      <Lanes row={props.row} count={props.laneCount} />
      <div className="jp-MLOpsStep-main">
        <button
          type="button"
          className="jp-MLOpsRun-summary"
          aria-expanded={isOpen}
          aria-controls={isOpen ? detailsId : undefined}
          tabIndex={props.isTabStop ? 0 : -1}
          onClick={props.onToggle}
          onFocus={props.onFocus}
        >
          <span className="jp-MLOpsRun-icon" aria-hidden>
            <Icon.react tag="span" />
          </span>
          <span className="jp-MLOpsRun-main">
            <span className="jp-MLOpsRun-line">
              <span className="jp-MLOpsRun-name" title={step.name}>
                {step.name}
              </span>
              <span className="jp-MLOpsRun-caret" aria-hidden>
                <caretRightIcon.react tag="span" />
              </span>
            </span>{' '}
            <Facts {...props} />{' '}
            {leaving.length > 0 && (
              <span className="jp-MLOpsRun-line">
                <span
                  className="jp-MLOpsStep-leaving"
                  title={leaving.join(', ')}
                >
                  {trans.__('gives %1', leaving.join(', '))}
                </span>
                {size !== null && (
                  <span
                    className="jp-MLOpsStep-size"
                    title={trans.__('So big was all of it in the last run')}
                  >
                    {formatSize(size, locale)}
                  </span>
                )}
              </span>
            )}
          </span>
        </button>
        {isOpen && (
          <div className="jp-MLOpsRun-details" id={detailsId}>
            <StepDetails {...props} />
          </div>
        )}
      </div>
    </li>
  );
}

/** Move the focus between the steps as arrow keys say. */
function moveFocus(event: React.KeyboardEvent<HTMLOListElement>): void {
  const rows = [
    ...event.currentTarget.querySelectorAll<HTMLElement>('.jp-MLOpsRun-summary')
  ];
  const place = rows.indexOf(event.target as HTMLElement);
  const targets: Readonly<Record<string, number>> = {
    ArrowDown: place + 1,
    ArrowUp: place - 1,
    Home: 0,
    End: rows.length - 1
  };
  const target = targets[event.key];
  if (place >= 0 && target !== undefined) {
    event.preventDefault();
    rows[Math.max(0, Math.min(target, rows.length - 1))]?.focus();
  }
}

export function Rail(props: IRailProps): React.JSX.Element {
  const { pipeline, job, trans } = props;
  const { steps, edges } = pipeline;
  const [openName, setOpenName] = React.useState<string | null>(null);
  const [focusName, setFocusName] = React.useState<string | null>(null);
  const rows = layoutLanes(
    steps.map(step => step.name),
    [
      ...edges.map(({ source, target }) => [source, target] as const),
      ...steps.flatMap(step =>
        step.after.map(name => [name, step.name] as const)
      )
    ]
  );
  const laneCount = Math.max(...rows.map(row => row.lane)) + 1;
  const done = new Map(job?.steps.map(step => [step.name, step]) ?? []);
  const tabStop = steps.some(step => step.name === focusName)
    ? focusName
    : steps[0]?.name;
  return (
    <>
      {/* A list without numbers is no list to some screen readers unless it says so. */}
      <ol
        className="jp-MLOpsRail"
        role="list"
        aria-label={trans.__('Steps')}
        onKeyDown={moveFocus}
      >
        {steps.map((step, place) => (
          <StepRow
            {...props}
            key={step.name}
            step={step}
            done={done.get(step.name)}
            row={
              rows[place] ?? { lane: 0, through: [], into: [], hasTail: false }
            }
            laneCount={laneCount}
            isOpen={step.name === openName}
            isTabStop={step.name === tabStop}
            onToggle={() =>
              setOpenName(step.name === openName ? null : step.name)
            }
            onFocus={() => setFocusName(step.name)}
          />
        ))}
      </ol>
      {pipeline.step_count > steps.length && (
        <p className="jp-MLOpsNotice">
          {trans._n(
            '%1 more step is not shown; mlops-nb pipeline lists all.',
            '%1 more steps are not shown; mlops-nb pipeline lists all.',
            pipeline.step_count - steps.length
          )}
        </p>
      )}
    </>
  );
}
