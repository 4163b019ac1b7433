/**
 * What can be done with a run that has a page of its own.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRunDetails } from '../tokens';
import { readProblem } from '../tokens';
import { SmallButton } from './changebar';

export interface IRunButtonsProps {
  readonly run: IRunDetails;
  readonly trans: TranslationBundle;
  readonly onOpenFile: (path: string) => void;
  /** Write the code as it ran into a notebook, and open it. */
  readonly onOpenCode: (run: IRunDetails) => Promise<void>;
}

export function RunButtons(props: IRunButtonsProps): React.JSX.Element | null {
  const { run, trans } = props;
  const [isBusy, setBusy] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const path = run.notebook_path ?? null;
  if (path === null && run.cell_count === 0) {
    return null;
  }
  const openCode = () => {
    setBusy(true);
    setProblem('');
    props
      .onOpenCode(run)
      .catch((error: unknown) => {
        const { message } = readProblem(error);
        setProblem(message || trans.__('The server does not say why.'));
      })
      .finally(() => setBusy(false));
  };
  return (
    <>
      <div
        className="jp-MLOpsRunButtons"
        role="group"
        aria-label={trans.__('What can be done with this run')}
      >
        {run.cell_count > 0 && (
          <SmallButton
            label={trans.__('Open code as a notebook')}
            title={trans.__(
              'Write the cells in the order in which they ran into a new notebook'
            )}
            isOff={isBusy}
            onClick={openCode}
          />
        )}
        {path !== null && (
          <SmallButton
            label={trans.__('Open its notebook')}
            title={path}
            onClick={() => props.onOpenFile(path)}
          />
        )}
      </div>
      {problem && (
        <p className="jp-MLOpsRun-error" role="alert">
          {trans.__('The notebook was not written.')} {problem}
        </p>
      )}
    </>
  );
}
