/**
 * What stands where there is nothing to list: loading, empty, broken.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IProblem, ISearchedStore } from '../tokens';

interface IStateProps {
  readonly trans: TranslationBundle;
}

export function Loading({ trans }: IStateProps): React.JSX.Element {
  return (
    <div
      className="jp-MLOpsLoading"
      role="status"
      aria-label={trans.__('Loading')}
    >
      {[0, 1, 2].map(place => (
        <div className="jp-MLOpsLoading-row" key={place} />
      ))}
    </div>
  );
}

export function NoNotebook({ trans }: IStateProps): React.JSX.Element {
  return (
    <div className="jp-MLOpsState" role="status">
      <p className="jp-MLOpsState-title">{trans.__('No notebook is open')}</p>
      <p>{trans.__('Open a notebook, and what it records appears here.')}</p>
    </div>
  );
}

export function NotPython({
  trans,
  children
}: IStateProps & { readonly children: string }): React.JSX.Element {
  return (
    <div className="jp-MLOpsState" role="status">
      <p className="jp-MLOpsState-title">
        {trans.__('This notebook does not run Python')}
      </p>
      <p>{children}</p>
    </div>
  );
}

export interface INoRunsProps extends IStateProps {
  readonly onCopy: (text: string) => void;
}

/** The line that switches recording on. */
export const LOAD_LINE = '%load_ext mlops_nb';

/** A line of code with a button that copies it. */
export function CopyLine(
  props: INoRunsProps & { readonly line: string }
): React.JSX.Element {
  const { line, trans, onCopy } = props;
  const [isCopied, setIsCopied] = React.useState(false);
  return (
    <div className="jp-MLOpsState-code">
      <code>{line}</code>
      <button
        type="button"
        className="jp-MLOpsButton jp-mod-styled"
        onClick={() => {
          onCopy(line);
          setIsCopied(true);
        }}
      >
        {isCopied ? trans.__('Copied') : trans.__('Copy')}
      </button>
    </div>
  );
}

/** Where the server looked in vain, for whoever knows that there are runs. */
function Searched(
  props: IStateProps & { readonly searched: ISearchedStore }
): React.JSX.Element {
  const { trans, searched } = props;
  // Folded: who begins has no runs, and need not read this.
  return (
    <details>
      <summary>{trans.__('Did you expect runs here?')}</summary>
      <p>
        {searched.exists
          ? trans.__('The server looked in the store %1.', searched.store)
          : trans.__(
              'There is no store at %1: nothing was recorded yet, or it was moved or deleted. The next run makes one.',
              searched.store
            )}
      </p>
      <p>
        {trans.__(
          'A kernel whose MLOPS_NB_STORE names another folder records there. Start Jupyter with the same setting to see its runs.'
        )}
      </p>
    </details>
  );
}

export function NoRuns({
  hasNotebook,
  searched,
  trans,
  onCopy,
  onShowAll
}: INoRunsProps & {
  readonly hasNotebook: boolean;
  /** The store that was asked. */
  readonly searched?: ISearchedStore | null | undefined;
  /** List the runs of all notebooks. */
  readonly onShowAll: () => void;
}): React.JSX.Element {
  return (
    <div className="jp-MLOpsState" role="status">
      <p className="jp-MLOpsState-title">
        {hasNotebook
          ? trans.__('This notebook has no runs yet')
          : trans.__('This project has no runs yet')}
      </p>
      <p>
        {hasNotebook
          ? trans.__(
              'Run this line in a cell. From then on each model that you fit is recorded and appears here.'
            )
          : trans.__(
              'Run this line in a cell of a notebook. From then on each model that you fit is recorded and appears here.'
            )}
      </p>
      <CopyLine line={LOAD_LINE} trans={trans} onCopy={onCopy} />
      {hasNotebook && (
        <>
          <p>
            {trans.__(
              'Runs of a notebook that was renamed stand under its old name.'
            )}
          </p>
          <div>
            <button
              type="button"
              className="jp-MLOpsButton jp-mod-styled"
              onClick={onShowAll}
            >
              {trans.__('Show the runs of all notebooks')}
            </button>
          </div>
        </>
      )}
      {searched && <Searched searched={searched} trans={trans} />}
    </div>
  );
}

export interface INoMatchProps extends IStateProps {
  readonly onClear: () => void;
}

export function NoMatch({ trans, onClear }: INoMatchProps): React.JSX.Element {
  return (
    <div className="jp-MLOpsState" role="status">
      <p className="jp-MLOpsState-title">
        {trans.__('No run fits this filter')}
      </p>
      <p>{trans.__('Runs that come later and fit it appear here.')}</p>
      <div>
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          onClick={onClear}
        >
          {trans.__('Show all runs')}
        </button>
      </div>
    </div>
  );
}

/** Give a problem a title and a way out of it. */
export function explainProblem(
  problem: IProblem,
  trans: TranslationBundle
): { title: string; hint: string; commands?: readonly string[] } {
  switch (problem.kind) {
    case 'missing':
      return {
        title: trans.__('The server part of mlops_nb is not running'),
        hint: trans.__(
          'Install mlops-nb in the environment that Jupyter is started from, enable it there, and restart Jupyter:'
        ),
        commands: [
          'pip install mlops-nb',
          'jupyter server extension enable mlops_nb'
        ]
      };
    case 'network':
      return {
        title: trans.__('The server does not answer'),
        hint: trans.__(
          'Check that Jupyter is still running. The panel goes on by itself as soon as it answers.'
        )
      };
    case 'timeout':
      return {
        title: trans.__('The server takes too long to answer'),
        hint: trans.__(
          'The disk with the store may be slow or away. The panel keeps trying.'
        )
      };
    case 'forbidden':
      return {
        title: trans.__('The server refused the request'),
        hint: trans.__(
          'Reload this page and log in again. If it persists, your account may not read runs on this server.'
        )
      };
    case 'garbage':
      return {
        title: trans.__('The server gave an answer that makes no sense'),
        hint: trans.__(
          'A proxy in between may have answered instead. The log of the Jupyter server tells more.'
        )
      };
    case 'input':
      return {
        title: trans.__('This cannot be done as it was asked for'),
        hint: problem.hint
      };
    case 'gone':
      return {
        title: trans.__('This is not there, or not any more'),
        hint: problem.hint
      };
    case 'server':
      return {
        title: trans.__('The store cannot be used'),
        hint: problem.hint
      };
  }
}

export interface IProblemBoxProps extends IStateProps {
  readonly problem: IProblem;
  readonly onRetry: () => void;
}

export function ProblemBox(props: IProblemBoxProps): React.JSX.Element {
  const { problem, trans } = props;
  const { title, hint, commands } = explainProblem(problem, trans);
  return (
    <div className="jp-MLOpsProblem" role="alert">
      <p className="jp-MLOpsState-title">{title}</p>
      {problem.message && (
        <p className="jp-MLOpsProblem-message">{problem.message}</p>
      )}
      {hint && <p>{hint}</p>}
      {commands?.map(command => (
        <code className="jp-MLOpsProblem-command" key={command}>
          {command}
        </code>
      ))}
      <button
        type="button"
        className="jp-MLOpsButton jp-mod-styled"
        onClick={props.onRetry}
      >
        {trans.__('Try again')}
      </button>
    </div>
  );
}

export interface IForeignVersionProps extends IStateProps {
  readonly ours: string;
  readonly theirs: string;
}

export function ForeignVersion(props: IForeignVersionProps): React.JSX.Element {
  const { trans } = props;
  return (
    <p className="jp-MLOpsNotice" role="status">
      {trans.__(
        'The server runs mlops_nb %1, this panel belongs to %2. Upgrade mlops-nb, restart Jupyter and reload this page.',
        props.theirs,
        props.ours
      )}
    </p>
  );
}
