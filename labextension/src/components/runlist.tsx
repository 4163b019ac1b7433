/**
 * A page of runs as a list: one Tab stop, arrow keys between rows, buttons to turn the page.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRun, IRunsPage } from '../tokens';
import { pickKeyMetrics } from './format';
import { groupRuns } from './groups';
import type { IRunActions } from './run';
import { RunRow } from './run';

/** So many metrics are the same in all rows. */
const KEY_METRICS = 3;

export interface IRunListProps {
  readonly page: IRunsPage;
  /** What the runs of a group have in common; null for no groups. */
  readonly groupBy: string | null;
  readonly columns: readonly string[] | null;
  /** Whether the newest come first, so that pages are newer and older. */
  readonly isByTime: boolean;
  readonly selected: ReadonlyMap<string, IRun>;
  readonly actions: IRunActions;
  readonly onChoose: (run: IRun) => void;
  readonly now: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onTurnTo: (offset: number) => void;
}

/** Where a key leads from a row; null where the key is not ours. */
function findTarget(key: string, place: number, count: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return Math.min(place + 1, count - 1);
    case 'ArrowUp':
      return Math.max(place - 1, 0);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}

function moveFocus(event: React.KeyboardEvent<HTMLElement>): void {
  // Up and down stay in their column: rows, or the boxes that choose them.
  const kind = (event.target as HTMLElement).matches('.jp-MLOpsRun-choice')
    ? '.jp-MLOpsRun-choice'
    : '.jp-MLOpsRun-summary';
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>(kind)];
  const place = rows.indexOf(event.target as HTMLElement);
  const target = place < 0 ? null : findTarget(event.key, place, rows.length);
  if (target !== null) {
    event.preventDefault();
    rows[target]?.focus();
  }
}

function Pager(props: IRunListProps): React.JSX.Element | null {
  const { page, trans } = props;
  if (page.offset === 0 && !page.has_more) {
    return null;
  }
  return (
    <nav className="jp-MLOpsPager" aria-label={trans.__('Pages of runs')}>
      <button
        type="button"
        className="jp-MLOpsButton jp-mod-styled"
        disabled={page.offset === 0}
        onClick={() => props.onTurnTo(page.offset - page.limit)}
      >
        {props.isByTime ? trans.__('Newer') : trans.__('Previous')}
      </button>
      <span>
        {trans.__(
          'Runs %1 to %2',
          page.offset + 1,
          page.offset + page.runs.length
        )}
      </span>
      <button
        type="button"
        className="jp-MLOpsButton jp-mod-styled"
        disabled={!page.has_more}
        onClick={() => props.onTurnTo(page.offset + page.limit)}
      >
        {props.isByTime ? trans.__('Older') : trans.__('Next')}
      </button>
    </nav>
  );
}

/** Pinning moves a run to another list, deleting takes it away: the focus shall not be lost. */
function useRowFocus(
  list: React.RefObject<HTMLElement>,
  page: IRunsPage
): (runId: string) => void {
  const left = React.useRef<{ runId: string; place: number } | null>(null);
  const listRows = () => [
    ...(list.current?.querySelectorAll<HTMLElement>('.jp-MLOpsRun') ?? [])
  ];
  React.useEffect(() => {
    const rows = listRows();
    const { runId, place } = left.current ?? { runId: null, place: 0 };
    const row = rows.find(each => each.dataset['runId'] === runId);
    if (document.activeElement !== document.body) {
      // Somebody has gone on: no later page may call them back.
      left.current = row?.contains(document.activeElement)
        ? left.current
        : null;
    } else if (runId !== null) {
      const next = rows[Math.min(place, rows.length - 1)];
      (
        row?.querySelector<HTMLElement>('.jp-MLOpsRun-pin') ??
        next?.querySelector<HTMLElement>('.jp-MLOpsRun-summary')
      )?.focus();
      left.current = null;
    }
  }, [page]);
  return runId => {
    const place = listRows().findIndex(row => row.dataset['runId'] === runId);
    left.current = { runId, place };
  };
}

export function RunList(props: IRunListProps): React.JSX.Element {
  const { page, trans } = props;
  const [openId, setOpenId] = React.useState<string | null>(null);
  const [focusId, setFocusId] = React.useState<string | null>(null);
  const groups = groupRuns(page, props.groupBy, trans);
  const runs = groups.flatMap(group => group.runs);
  const keyMetrics = pickKeyMetrics(
    runs.map(run => run.metrics),
    KEY_METRICS
  );
  const tabStop = runs.some(run => run.run_id === focusId)
    ? focusId
    : runs[0]?.run_id;
  const listRef = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    // A page that was turned is read from its beginning.
    const section = listRef.current?.closest('.jp-MLOpsRuns');
    if (section) {
      section.scrollTop = 0;
    }
  }, [page.offset]);
  const noteRow = useRowFocus(listRef, page);
  const actions: IRunActions = {
    ...props.actions,
    onPin: (run, isPinned) => {
      noteRow(run.run_id);
      props.actions.onPin(run, isPinned);
    },
    onDelete: run => {
      noteRow(run.run_id);
      props.actions.onDelete(run);
    }
  };
  const renderRow = (run: IRun) => (
    <RunRow
      key={run.run_id}
      run={run}
      keyMetrics={keyMetrics}
      columns={props.columns}
      isChosen={props.selected.has(run.run_id)}
      actions={actions}
      onChoose={props.onChoose}
      isOpen={run.run_id === openId}
      isTabStop={run.run_id === tabStop}
      now={props.now}
      locale={props.locale}
      trans={trans}
      onToggle={runId => setOpenId(runId === openId ? null : runId)}
      onFocus={setFocusId}
    />
  );
  return (
    <>
      <div ref={listRef} onKeyDown={moveFocus}>
        {groups.map(({ label, runs: members }, place) => (
          <React.Fragment key={place}>
            {label !== null && (
              <h4 className="jp-MLOpsRunList-group" title={label}>
                {label}
              </h4>
            )}
            {/* A list without bullets is no list to some screen readers unless it says so. */}
            <ul
              className="jp-MLOpsRunList"
              role="list"
              aria-label={label ?? trans.__('Runs')}
            >
              {members.map(renderRow)}
            </ul>
          </React.Fragment>
        ))}
      </div>
      <Pager {...props} />
    </>
  );
}
