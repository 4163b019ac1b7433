/**
 * An answer that grows: asked for again as often as there is news, one question at a time.
 */
import * as React from 'react';

import type { IProblem } from '../tokens';
import { readProblem } from '../tokens';
import type { IAnswer } from './answer';

/** So long after an answer the next question may come, in milliseconds. */
const PAUSE_MS = 200;

/**
 * Ask when the component is first shown, and again after each piece of news.
 *
 * While a question is under way news only has one more follow it: a server that is slower than its
 * news is neither flooded nor are its answers thrown away.
 *
 * @param ask - the question
 * @param about - what the answer is about; of something else nothing is kept
 * @param news - differs whenever the answer may be another
 * @returns the last answer, null before the first
 */
export function useGrowing<T>(
  ask: () => Promise<T>,
  about: readonly unknown[],
  news: unknown
): T | null {
  return useGrowingAnswer(ask, about, news).value; // the values beside it say what is wrong
}

/**
 * Ask as `useGrowing` does, where what is wrong is said here.
 *
 * @param ask - the question
 * @param about - what the answer is about; of something else nothing is kept
 * @param news - differs whenever the answer may be another
 */
export function useGrowingAnswer<T>(
  ask: () => Promise<T>,
  about: readonly unknown[],
  news: unknown
): IAnswer<T> {
  const [value, setValue] = React.useState<T | null>(null);
  const [problem, setProblem] = React.useState<IProblem | null>(null);
  const lastAsk = React.useRef(ask);
  lastAsk.current = ask;
  const look = React.useRef<() => void>(() => undefined);
  React.useEffect(() => {
    let isWanted = true;
    let isAsking = false;
    let isStale = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      isAsking = false;
      if (isWanted && isStale) {
        look.current();
      }
    };
    setValue(null);
    setProblem(null);
    look.current = () => {
      if (isAsking) {
        isStale = true;
        return;
      }
      isAsking = true;
      isStale = false;
      lastAsk
        .current()
        .then(
          answer => {
            if (isWanted) {
              setValue(answer);
              setProblem(null);
            }
          },
          (error: unknown) => isWanted && setProblem(readProblem(error))
        )
        .finally(() => {
          if (isWanted) {
            timer = setTimeout(again, PAUSE_MS);
          }
        });
    };
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, about);
  React.useEffect(() => look.current(), [...about, news]);
  return { value, problem, onRetry: () => look.current() };
}
