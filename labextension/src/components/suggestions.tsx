/**
 * Proposes steps for a notebook that has none, each with its reason.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICellPlace, IProblem, ISuggestion } from '../tokens';
import { readProblem } from '../tokens';
import { SmallButton } from './changebar';
import { explainProblem } from './states';

export interface ISuggestionsProps {
  readonly actions: {
    readonly onSuggest: () => Promise<readonly ISuggestion[]>;
    readonly onTakeSuggestions: (found: readonly ISuggestion[]) => void;
    readonly onGoTo: (place: ICellPlace) => void;
    readonly isBusy: boolean;
  };
  /** Whether no tag can be written. */
  readonly isReadOnly: boolean;
  readonly trans: TranslationBundle;
}

export function Suggestions(props: ISuggestionsProps): React.JSX.Element {
  const { actions, isReadOnly, trans } = props;
  const [found, setFound] = React.useState<readonly ISuggestion[] | null>(null);
  const [problem, setProblem] = React.useState<IProblem | null>(null);
  if (isReadOnly) {
    return (
      <div className="jp-MLOpsState">
        <p className="jp-MLOpsState-title">
          {trans.__('This notebook has no steps')}
        </p>
        <p>{trans.__('It runs as one step.')}</p>
      </div>
    );
  }
  return (
    <div className="jp-MLOpsState">
      <p className="jp-MLOpsState-title">
        {trans.__('This notebook has no steps yet')}
      </p>
      <p>
        {trans.__(
          'It runs as one step. Tag the cells that begin a step below, or let steps be proposed: what has not changed is then taken from the cache.'
        )}
      </p>
      {problem && (
        <p className="jp-MLOpsFilter-problem" role="alert">
          {explainProblem(problem, trans).title}. {problem.message}{' '}
          {problem.hint}
        </p>
      )}
      {found === null ? (
        <div>
          <SmallButton
            label={trans.__('Propose steps')}
            isOff={actions.isBusy}
            onClick={() =>
              void actions.onSuggest().then(
                answer => {
                  setFound(answer);
                  setProblem(null);
                },
                (error: unknown) => setProblem(readProblem(error))
              )
            }
          />
        </div>
      ) : found.length === 0 ? (
        <p role="status">{trans.__('There is nothing to propose.')}</p>
      ) : (
        <>
          <ul className="jp-MLOpsWhy" aria-label={trans.__('Proposed tags')}>
            {found.map(each => (
              <li key={each.cell}>
                <button
                  type="button"
                  className="jp-MLOpsLink"
                  onClick={() =>
                    actions.onGoTo({ index: each.cell, id: each.id ?? null })
                  }
                >
                  {trans.__('cell %1', each.cell + 1)}
                </button>{' '}
                <code>{each.tag}</code>{' '}
                <span className="jp-MLOpsWhy-end">{each.reason}</span>
              </li>
            ))}
          </ul>
          <div>
            <SmallButton
              label={trans.__('Write these tags and save')}
              isOff={actions.isBusy}
              onClick={() => actions.onTakeSuggestions(found)}
            />
          </div>
        </>
      )}
    </div>
  );
}
