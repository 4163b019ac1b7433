/**
 * What has changed since another run of the same name, notebook and experiment.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IComparison, IRun, OtherRun } from '../tokens';
import { Pending, useAnswer } from './answer';
import { SmallButton } from './changebar';
import { ComparisonTable } from './comparison';

export interface IWhatChangedProps {
  readonly run: IRun;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onAsk: (beside: OtherRun, offset: number) => Promise<IComparison>;
  readonly onOpen: (runId: string, name: string) => void;
  /** Show both in a document of their own, with their curves. */
  readonly onCompare: (runs: readonly IRun[]) => void;
}

/** Say which run stands beside this one, and why. */
function introduce(
  beside: OtherRun,
  { best_by: metric }: IComparison,
  trans: TranslationBundle
): string {
  if (beside === 'previous') {
    return trans.__('First the run before it, then this one.');
  }
  return metric === ''
    ? trans.__('First the newest other run, then this one.')
    : trans.__('First the best other run by %1, then this one.', metric ?? '?');
}

function Difference(
  props: IWhatChangedProps & { readonly beside: OtherRun }
): React.JSX.Element {
  const { run, beside, locale, trans } = props;
  const answer = useAnswer(
    () => props.onAsk(beside, 0),
    [run.run_id, run.status, beside]
  );
  // The question is always well put: that is how the server says that there is no such run.
  if (answer.problem?.kind === 'input') {
    return (
      <p role="status">
        {beside === 'best'
          ? trans.__(
              'No other run of this name, notebook and experiment has finished.'
            )
          : trans.__(
              'This is the first run of this name, notebook and experiment.'
            )}
      </p>
    );
  }
  const comparison = answer.value;
  return (
    <>
      <Pending answer={answer} trans={trans} />
      {comparison && (
        <>
          <div className="jp-MLOpsRunButtons">
            <span>{introduce(beside, comparison, trans)}</span>
            <SmallButton
              label={trans.__('Open the comparison')}
              onClick={() => props.onCompare(comparison.runs)}
            />
          </div>
          <ComparisonTable
            comparison={comparison}
            locale={locale}
            trans={trans}
            onMore={offset => props.onAsk(beside, offset)}
            onOpen={({ run_id, name }) => props.onOpen(run_id, name)}
          />
        </>
      )}
    </>
  );
}

/** Two switches; nothing is asked before one of them is on. */
export function WhatChanged(props: IWhatChangedProps): React.JSX.Element {
  const { trans } = props;
  const [beside, setBeside] = React.useState<OtherRun | null>(null);
  const choices: readonly [OtherRun, string][] = [
    ['best', trans.__('Since the best other run')],
    ['previous', trans.__('Since the run before it')]
  ];
  return (
    <section aria-label={trans.__('What changed')}>
      <h2>{trans.__('What changed')}</h2>
      <div className="jp-MLOpsRunButtons">
        {choices.map(([choice, label]) => (
          <button
            key={choice}
            type="button"
            className="jp-MLOpsButton jp-mod-styled"
            aria-expanded={beside === choice}
            onClick={() => setBeside(beside === choice ? null : choice)}
          >
            {label}
          </button>
        ))}
      </div>
      {/* Of its own for each choice, so that one's rows never stand under the other's name. */}
      {beside && <Difference {...props} key={beside} beside={beside} />}
    </section>
  );
}
