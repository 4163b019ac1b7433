/**
 * A part of a page that asks the server by itself, once somebody sees the page.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IProblem } from '../tokens';
import { readProblem } from '../tokens';
import { explainProblem } from './states';

/** What came of a question. */
export interface IAnswer<T> {
  readonly value: T | null;
  readonly problem: IProblem | null;
  readonly onRetry: () => void;
}

/**
 * Ask when the component is first shown, and whenever what the question hangs on has changed.
 *
 * @param ask - the question
 * @param depends - what it hangs on
 * @returns the last answer, kept while the next is under way
 */
export function useAnswer<T>(
  ask: () => Promise<T>,
  depends: readonly unknown[]
): IAnswer<T> {
  const [value, setValue] = React.useState<T | null>(null);
  const [problem, setProblem] = React.useState<IProblem | null>(null);
  const [tries, setTries] = React.useState(0);
  React.useEffect(() => {
    let isWanted = true;
    ask().then(
      answer => {
        if (isWanted) {
          setValue(answer);
          setProblem(null);
        }
      },
      (error: unknown) => {
        if (isWanted) {
          setProblem(readProblem(error));
        }
      }
    );
    return () => {
      isWanted = false;
    };
  }, [...depends, tries]);
  return { value, problem, onRetry: () => setTries(tries + 1) };
}

export interface IPendingProps {
  readonly answer: IAnswer<unknown>;
  readonly trans: TranslationBundle;
}

/** What stands where an answer is not there yet, or failed; nothing once it is there. */
export function Pending(props: IPendingProps): React.JSX.Element | null {
  const { answer, trans } = props;
  const { problem } = answer;
  if (problem) {
    return (
      <div className="jp-MLOpsPending" role="alert">
        <span>
          {explainProblem(problem, trans).title}. {problem.message}
        </span>
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          onClick={answer.onRetry}
        >
          {trans.__('Try again')}
        </button>
      </div>
    );
  }
  return answer.value === null ? (
    <p className="jp-MLOpsPending" role="status">
      {trans.__('Loading…')}
    </p>
  ) : null;
}
