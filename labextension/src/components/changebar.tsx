/**
 * What can be done with the chosen runs, and what was done.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IProblem, IRemovedTag, IRun } from '../tokens';

export interface IChangeBarProps {
  readonly selected: readonly IRun[];
  /** More cannot be compared. */
  readonly mostCompared: number;
  readonly deleted: readonly IRun[];
  readonly removedTag: IRemovedTag | null;
  readonly problem: IProblem | null;
  readonly isBusy: boolean;
  readonly trans: TranslationBundle;
  readonly onCompare: (runs: readonly IRun[]) => void;
  readonly onDelete: (runs: readonly IRun[]) => void;
  readonly onUnselect: () => void;
  readonly onUndo: () => void;
  readonly onDismiss: () => void;
}

interface IButtonProps {
  readonly label: string;
  readonly isOff?: boolean;
  readonly title?: string;
  readonly className?: string;
  /** Whether it has the focus once it is there. */
  readonly isFirst?: boolean;
  readonly onClick: () => void;
}

export function SmallButton(props: IButtonProps): React.JSX.Element {
  return (
    <button
      type="button"
      className={`jp-MLOpsButton jp-mod-styled ${props.className ?? ''}`.trim()}
      disabled={props.isOff}
      title={props.title}
      autoFocus={props.isFirst}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}

function Chosen(props: IChangeBarProps): React.JSX.Element {
  const { selected, mostCompared, trans } = props;
  return (
    <div
      className="jp-MLOpsChangeBar"
      role="group"
      aria-label={trans.__('Chosen runs')}
    >
      <span className="jp-MLOpsChangeBar-words">
        {trans._n('%1 run chosen', '%1 runs chosen', selected.length)}
      </span>
      <SmallButton
        label={trans.__('Compare')}
        isOff={selected.length < 2 || selected.length > mostCompared}
        title={trans.__('Choose 2 to %1 runs to compare them', mostCompared)}
        onClick={() => props.onCompare(selected)}
      />
      <SmallButton
        label={trans.__('Delete')}
        isOff={props.isBusy}
        onClick={() => props.onDelete(selected)}
      />
      <SmallButton label={trans.__('Clear')} onClick={props.onUnselect} />
    </div>
  );
}

/** What was done last, in words; null where there is nothing to undo. */
function describe(props: IChangeBarProps): string | null {
  const { deleted, removedTag, trans } = props;
  if (removedTag !== null) {
    const { key, run } = removedTag;
    return trans.__('Removed the tag “%1” of “%2”', key, run.name);
  }
  if (deleted.length === 0) {
    return null;
  }
  return deleted.length === 1
    ? trans.__('Deleted “%1”', deleted[0]?.name)
    : trans._n('Deleted %1 run', 'Deleted %1 runs', deleted.length);
}

export function ChangeBar(props: IChangeBarProps): React.JSX.Element {
  const { problem, trans } = props;
  const done = describe(props);
  return (
    <>
      {props.selected.length > 0 && <Chosen {...props} />}
      {done !== null && (
        <div className="jp-MLOpsChangeBar" role="status">
          <span className="jp-MLOpsChangeBar-words">{done}</span>
          <SmallButton
            label={trans.__('Undo')}
            isOff={props.isBusy}
            onClick={props.onUndo}
          />
          <SmallButton label={trans.__('Dismiss')} onClick={props.onDismiss} />
        </div>
      )}
      {problem && (
        <div className="jp-MLOpsChangeBar jp-mod-problem" role="alert">
          <span className="jp-MLOpsChangeBar-words">
            {trans.__('Not changed.')} {problem.message} {problem.hint}
          </span>
          <SmallButton label={trans.__('Dismiss')} onClick={props.onDismiss} />
        </div>
      )}
    </>
  );
}
