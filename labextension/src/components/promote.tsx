/**
 * Lets an alias name another version, with a reason that stays in the model's history.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IPromotion } from '../api';
import type { IProblem } from '../tokens';
import { readProblem } from '../tokens';
import { SmallButton } from './changebar';

/** Set an alias; it rejects where that was refused. */
export type IPromote = (promotion: IPromotion) => Promise<void>;

/** What most teams call the version that is used. */
const CHAMPION = 'champion';

const LONGEST_REASON = 2000;

interface IChangeState {
  readonly isBusy: boolean;
  readonly problem: IProblem | null;
  readonly done: string;
  readonly run: (change: () => Promise<void>, said: string) => void;
}

/** What became of a change: under way, refused, or done. */
function useChange(): IChangeState {
  const [isBusy, setIsBusy] = React.useState(false);
  const [problem, setProblem] = React.useState<IProblem | null>(null);
  const [done, setDone] = React.useState('');
  const run = (change: () => Promise<void>, said: string) => {
    setIsBusy(true);
    setProblem(null);
    setDone('');
    change()
      .then(
        () => setDone(said),
        (error: unknown) => setProblem(readProblem(error))
      )
      .finally(() => setIsBusy(false));
  };
  return { isBusy, problem, done, run };
}

function Outcome(props: {
  readonly change: IChangeState;
  readonly trans: TranslationBundle;
}): React.JSX.Element | null {
  const { problem, done } = props.change;
  if (problem) {
    return (
      <p className="jp-MLOpsFilter-problem" role="alert">
        {props.trans.__('Not changed.')} {problem.message} {problem.hint}
      </p>
    );
  }
  return done ? (
    <p className="jp-MLOpsDone" role="status">
      {done}
    </p>
  ) : null;
}

export interface IPromoteFormProps {
  readonly version: number;
  readonly aliases: Readonly<Record<string, number>>;
  readonly trans: TranslationBundle;
  readonly onPromote: IPromote;
}

/** Choose an alias, say why, and let it name the version. */
export function PromoteForm(props: IPromoteFormProps): React.JSX.Element {
  const { version, aliases, trans, onPromote } = props;
  const [alias, setAlias] = React.useState(CHAMPION);
  const [reason, setReason] = React.useState('');
  const change = useChange();
  const listId = React.useId();
  const wanted = alias.trim();
  // Not by its key: every object has a constructor.
  const current = new Map(Object.entries(aliases)).get(wanted);
  return (
    <section aria-label={trans.__('Promote')}>
      <h2>{trans.__('Promote version %1', version)}</h2>
      <form
        className="jp-MLOpsForm"
        aria-label={trans.__('Promote version %1', version)}
        onSubmit={event => {
          event.preventDefault();
          change.run(
            () => onPromote({ alias: wanted, version, reason: reason.trim() }),
            trans.__('%1 now names version %2.', wanted, version)
          );
        }}
      >
        <input
          className="jp-MLOpsInput jp-mod-styled jp-mod-short"
          aria-label={trans.__('Alias')}
          value={alias}
          required
          maxLength={63}
          list={listId}
          onChange={event => setAlias(event.target.value)}
        />
        <datalist id={listId}>
          {Object.keys(aliases).map(name => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <input
          className="jp-MLOpsInput jp-mod-styled"
          aria-label={trans.__('Reason')}
          placeholder={trans.__('Why; it stays in the history')}
          value={reason}
          maxLength={LONGEST_REASON}
          onChange={event => setReason(event.target.value)}
        />
        <button
          type="submit"
          className="jp-MLOpsButton jp-mod-styled"
          disabled={change.isBusy || wanted === '' || current === version}
        >
          {trans.__('Promote')}
        </button>
      </form>
      <p className="jp-MLOpsCard-small">
        {current === undefined
          ? trans.__('No version has this alias yet.')
          : current === version
            ? trans.__('This version has the alias already.')
            : trans.__('The alias names version %1 now.', current)}
      </p>
      {/* What was done is no news any more once somebody has moved the alias on. */}
      {(change.problem !== null || current === version) && (
        <Outcome change={change} trans={trans} />
      )}
    </section>
  );
}

export interface IRollbackFormProps {
  readonly alias: string;
  /** Where the alias pointed before. */
  readonly version: number;
  readonly trans: TranslationBundle;
  readonly onPromote: IPromote;
}

/** A button that asks for the reason before it undoes what was done last with an alias. */
export function RollbackForm(props: IRollbackFormProps): React.JSX.Element {
  const { alias, version, trans, onPromote } = props;
  // Null before it was ever open: a button that comes back has the focus of the form.
  const [isOpen, setIsOpen] = React.useState<boolean | null>(null);
  const [reason, setReason] = React.useState('');
  const change = useChange();
  const field = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => {
    if (isOpen) {
      field.current?.focus();
    }
  }, [isOpen]);
  if (!isOpen) {
    return (
      <SmallButton
        label={trans.__('Roll back to version %1', version)}
        isFirst={isOpen === false}
        onClick={() => setIsOpen(true)}
      />
    );
  }
  return (
    <>
      <form
        className="jp-MLOpsForm"
        aria-label={trans.__('Roll %1 back to version %2', alias, version)}
        onSubmit={event => {
          event.preventDefault();
          change.run(
            () => onPromote({ alias, version, reason: reason.trim() }),
            trans.__('%1 now names version %2.', alias, version)
          );
        }}
        onKeyDown={event => {
          if (event.key === 'Escape' && !event.nativeEvent.isComposing) {
            event.preventDefault();
            setIsOpen(false);
          }
        }}
      >
        <input
          ref={field}
          className="jp-MLOpsInput jp-mod-styled"
          aria-label={trans.__('Reason')}
          placeholder={trans.__('Why; it stays in the history')}
          value={reason}
          maxLength={LONGEST_REASON}
          onChange={event => setReason(event.target.value)}
        />
        <button
          type="submit"
          className="jp-MLOpsButton jp-mod-styled"
          disabled={change.isBusy}
        >
          {trans.__('Roll back')}
        </button>
        <SmallButton
          label={trans.__('Cancel')}
          onClick={() => setIsOpen(false)}
        />
      </form>
      <Outcome change={change} trans={trans} />
    </>
  );
}
