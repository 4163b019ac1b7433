/**
 * The switch that has a kernel record, and what it would record.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ISession } from '../notebookwords';
import type { ISwitchProblem } from '../recording';

/** Installs into the environment of the kernel. */
const INSTALL_LINE = '%pip install mlops-nb';

export interface IRecordSwitchProps {
  readonly session: ISession | null;
  readonly hasKernel: boolean;
  readonly isBusy: boolean;
  readonly isSwitching: boolean;
  readonly problem: ISwitchProblem | null;
  readonly trans: TranslationBundle;
  readonly onTurn: (isOn: boolean) => void;
}

function explain(props: IRecordSwitchProps): string {
  const { session, hasKernel, isBusy, isSwitching, trans } = props;
  if (!hasKernel) {
    return trans.__('The notebook has no kernel. Start one to record.');
  }
  if (isSwitching && isBusy) {
    return trans.__('Waits until the running cell ends…');
  }
  if (!session?.is_live) {
    return trans.__(
      'Off. Switch it on, and each model that you fit, its figures and the files it came from are recorded; the notebook itself is not changed.'
    );
  }
  return session.is_recording
    ? trans.__('On: fits, figures and files are recorded without being asked.')
    : trans.__('Off: only what you log by hand is recorded.');
}

export function RecordSwitch(props: IRecordSwitchProps): React.JSX.Element {
  const { session, hasKernel, isSwitching, problem, trans, onTurn } = props;
  const isOn = session?.is_recording === true;
  const id = React.useId();
  return (
    <section aria-label={trans.__('Recording')}>
      <div className="jp-MLOpsSwitch">
        <button
          type="button"
          role="switch"
          className="jp-MLOpsSwitch-button"
          aria-checked={isOn}
          aria-describedby={id}
          aria-busy={isSwitching}
          disabled={!hasKernel || isSwitching}
          onClick={() => onTurn(!isOn)}
        >
          <span className="jp-MLOpsSwitch-track" aria-hidden>
            <span className="jp-MLOpsSwitch-knob" />
          </span>
          {trans.__('Recording')}
        </button>
      </div>
      <p id={id} role="status">
        {explain(props)}
      </p>
      {problem?.kind === 'absent' && (
        <div className="jp-MLOpsProblem" role="alert">
          <p className="jp-MLOpsState-title">
            {trans.__('mlops_nb is not installed where this kernel runs')}
          </p>
          <p>{trans.__('Run this line in a cell, then switch again:')}</p>
          <code className="jp-MLOpsProblem-command">{INSTALL_LINE}</code>
        </div>
      )}
      {problem?.kind === 'failed' && (
        <div className="jp-MLOpsProblem" role="alert">
          <p className="jp-MLOpsState-title">
            {trans.__('The kernel could not do it')}
          </p>
          <p className="jp-MLOpsProblem-message">{problem.message}</p>
        </div>
      )}
    </section>
  );
}
