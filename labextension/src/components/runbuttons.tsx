/**
 * What can be done with a run that has a page of its own.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRunAgain } from '../runagain';
import type { IJob, IRunDetails } from '../tokens';
import { readProblem } from '../tokens';
import { SmallButton } from './changebar';
import { RegisterForm } from './registerform';
import { isReproducing, readTag, Reproduction } from './reproduction';

export interface IRunButtonsProps {
  readonly run: IRunDetails;
  /** The last reproduction of the run that this server has begun. */
  readonly job: IJob | null;
  readonly again: IRunAgain;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onOpen: (runId: string, name: string) => void;
  readonly onOpenFile: (path: string) => void;
  /** Write the code as it ran into a notebook, and open it. */
  readonly onOpenCode: (run: IRunDetails) => Promise<void>;
}

/** Kinds of runs that have code without a kernel of their own. */
const KINDS_WITH_CODE = ['pipeline', 'papermill'];

function hasCode(run: IRunDetails): boolean {
  const kind = readTag(run, 'mlops.kind');
  return run.cell_count > 0 || KINDS_WITH_CODE.includes(kind);
}

interface IRowProps extends IRunButtonsProps {
  readonly isBusy: boolean;
  readonly onDo: (work: () => Promise<void>) => void;
  readonly onRegister: () => void;
}

function CodeButtons(props: IRowProps): React.JSX.Element {
  const { run, again, trans, isBusy } = props;
  return (
    <>
      <SmallButton
        label={trans.__('Export as a script')}
        title={trans.__('Write its code, as it ran, into a Python file')}
        isOff={isBusy}
        onClick={() => props.onDo(() => again.exportScript())}
      />
      {run.cell_count > 0 && (
        <SmallButton
          label={trans.__('Open code as a notebook')}
          title={trans.__(
            'Write the cells in the order in which they ran into a new notebook'
          )}
          isOff={isBusy}
          onClick={() => props.onDo(() => props.onOpenCode(run))}
        />
      )}
    </>
  );
}

function Row(props: IRowProps): React.JSX.Element {
  const { run, job, again, trans, isBusy } = props;
  const path = run.notebook_path ?? null;
  const hasEnded = run.status !== 'running';
  return (
    <div
      className="jp-MLOpsRunButtons"
      role="group"
      aria-label={trans.__('What can be done with this run')}
    >
      {hasEnded && hasCode(run) && (
        <SmallButton
          label={trans.__('Reproduce')}
          title={trans.__(
            'Run its code again in a copy of its folder, and compare'
          )}
          isOff={isBusy || isReproducing(job)}
          onClick={() => props.onDo(() => again.reproduce(false))}
        />
      )}
      {hasEnded && (
        <SmallButton
          label={trans.__('Register…')}
          title={trans.__('Register the model that it has trained')}
          onClick={props.onRegister}
        />
      )}
      {hasCode(run) && <CodeButtons {...props} />}
      {path !== null && (
        <SmallButton
          label={trans.__('Open its notebook')}
          title={path}
          onClick={() => props.onOpenFile(path)}
        />
      )}
    </div>
  );
}

export function RunButtons(props: IRunButtonsProps): React.JSX.Element {
  const { again, trans } = props;
  const [isBusy, setBusy] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const [isRegistering, setRegistering] = React.useState(false);
  const onDo = (work: () => Promise<void>) => {
    setBusy(true);
    setProblem('');
    work()
      .catch((error: unknown) => {
        const { message, hint } = readProblem(error);
        const said = [message, hint].filter(Boolean).join(' ');
        setProblem(said || trans.__('The server does not say why.'));
      })
      .finally(() => setBusy(false));
  };
  return (
    <>
      <Row
        {...props}
        isBusy={isBusy}
        onDo={onDo}
        onRegister={() => setRegistering(!isRegistering)}
      />
      {problem && (
        <p className="jp-MLOpsRun-error" role="alert">
          {trans.__('This was not done.')} {problem}
        </p>
      )}
      {isRegistering && (
        <RegisterForm
          trans={trans}
          onAsk={() => again.getRegistration()}
          onRegister={wish => again.register(wish)}
          onClose={() => setRegistering(false)}
        />
      )}
      <Reproduction
        {...props}
        onCancel={() => onDo(() => again.cancel())}
        onRunAnyway={() => onDo(() => again.reproduce(true))}
      />
    </>
  );
}
