/**
 * What can be done with the chosen runs, and what was done.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IProblem, IRun } from '../tokens';

export interface IChangeBarProps {
  readonly selected: readonly IRun[];
  /** More cannot be compared. */
  readonly mostCompared: number;
  readonly deleted: readonly IRun[];
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
  readonly onClick: () => void;
}

export function SmallButton(props: IButtonProps): React.JSX.Element {
  return (
    <button
      type="button"
      className="jp-MLOpsButton jp-mod-styled"
      disabled={props.isOff}
      title={props.title}
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

export function ChangeBar(props: IChangeBarProps): React.JSX.Element {
  const { deleted, problem, trans } = props;
  return (
    <>
      {props.selected.length > 0 && <Chosen {...props} />}
      {deleted.length > 0 && (
        <div className="jp-MLOpsChangeBar" role="status">
          <span className="jp-MLOpsChangeBar-words">
            {deleted.length === 1
              ? trans.__('Deleted “%1”', deleted[0]?.name)
              : trans.__('Deleted %1 runs', deleted.length)}
          </span>
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
