/**
 * Registers the model of a run, or says plainly why it cannot be and what to do.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRegisterState, IRegisterWish } from '../runagain';
import type { IModelVersion } from '../tokens';
import { readProblem } from '../tokens';
import { Pending, useAnswer } from './answer';
import { SmallButton } from './changebar';
import { useReturn } from './forms';

const LONGEST_NAME = 64;
const LONGEST_ALIAS = 63;
const LONGEST_REASON = 2000;

export interface IRegisterFormProps {
  readonly trans: TranslationBundle;
  readonly onAsk: () => Promise<IRegisterState>;
  readonly onRegister: (wish: IRegisterWish) => Promise<IRegisterState>;
  readonly onClose: () => void;
}

/** Name a version as everything else does: with its number and its aliases. */
function nameVersion({ name, version, aliases }: IModelVersion): string {
  const listed = aliases.length > 0 ? ` (${aliases.join(', ')})` : '';
  return `${name}/${version}${listed}`;
}

function Field(props: {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly most: number;
  readonly isNeeded?: boolean;
  readonly onChange: (value: string) => void;
}): React.JSX.Element {
  return (
    <input
      className="jp-MLOpsInput jp-mod-styled"
      aria-label={props.label}
      placeholder={props.placeholder}
      value={props.value}
      required={props.isNeeded}
      maxLength={props.most}
      onChange={event => props.onChange(event.target.value)}
    />
  );
}

interface IFieldsProps extends IRegisterFormProps {
  readonly isBusy: boolean;
  readonly onSubmit: (wish: IRegisterWish) => void;
}

function Fields(props: IFieldsProps): React.JSX.Element {
  const { trans } = props;
  const [name, setName] = React.useState('');
  const [alias, setAlias] = React.useState('');
  const [reason, setReason] = React.useState('');
  return (
    <form
      className="jp-MLOpsForm"
      aria-label={trans.__('Register the model')}
      onSubmit={event => {
        event.preventDefault();
        props.onSubmit({
          name: name.trim(),
          alias: alias.trim(),
          reason: reason.trim()
        });
      }}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.nativeEvent.isComposing) {
          event.preventDefault();
          props.onClose();
        }
      }}
    >
      <Field
        label={trans.__('Name of the model')}
        placeholder={trans.__('Name, such as tumour-classifier')}
        value={name}
        most={LONGEST_NAME}
        isNeeded
        onChange={setName}
      />
      <Field
        label={trans.__('Alias')}
        placeholder={trans.__('Alias, such as champion; or none')}
        value={alias}
        most={LONGEST_ALIAS}
        onChange={setAlias}
      />
      <Field
        label={trans.__('Reason')}
        placeholder={trans.__('Why the alias moves; it stays in the history')}
        value={reason}
        most={LONGEST_REASON}
        onChange={setReason}
      />
      <button
        type="submit"
        className="jp-MLOpsButton jp-mod-styled"
        disabled={props.isBusy || name.trim() === ''}
      >
        {trans.__('Register')}
      </button>
      <SmallButton label={trans.__('Close')} onClick={props.onClose} />
    </form>
  );
}

export function RegisterForm(props: IRegisterFormProps): React.JSX.Element {
  const { trans } = props;
  const answer = useAnswer(props.onAsk, []);
  useReturn();
  const [after, setAfter] = React.useState<IRegisterState | null>(null);
  const [problem, setProblem] = React.useState('');
  const [isBusy, setIsBusy] = React.useState(false);
  const state = after ?? answer.value;
  const register = (wish: IRegisterWish) => {
    setIsBusy(true);
    setProblem('');
    props
      .onRegister(wish)
      .then(setAfter, (error: unknown) => {
        const { message, hint } = readProblem(error);
        // What a kernel says has no hint of its own.
        const said = [message, hint].filter(Boolean).join(' ');
        setProblem(said || trans.__('Nobody says why.'));
      })
      .finally(() => setIsBusy(false));
  };
  return (
    <section aria-label={trans.__('Register the model')}>
      <Pending answer={answer} trans={trans} />
      {state && state.versions.length > 0 && (
        <p className="jp-MLOpsDone" role="status">
          {trans.__(
            'Registered as %1.',
            state.versions.map(nameVersion).join(', ')
          )}
        </p>
      )}
      {state?.way === 'none' ? (
        <div className="jp-MLOpsRunButtons">
          <span role="status">
            {trans.__(
              'Its model cannot be registered: a run keeps no model by itself, and the kernel that trained it has ended. Open the code as a notebook, run that, and register the model of the new run; Reproduce tells whether it gives the same.'
            )}
          </span>
          <SmallButton label={trans.__('Close')} onClick={props.onClose} />
        </div>
      ) : (
        state && <Fields {...props} isBusy={isBusy} onSubmit={register} />
      )}
      {problem && (
        <p className="jp-MLOpsRun-error" role="alert">
          {trans.__('Not registered.')} {problem}
        </p>
      )}
    </section>
  );
}
