/**
 * The metrics of an opened run: its results at once, what the machine did meanwhile on demand.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IRun } from '../tokens';
import { Entries, EntryList } from './entries';
import { formatMetric, sortMetrics } from './format';

/** Enough to tell two runs apart, and still one line. */
const DIGITS = 8;

/** As mlops_nb names what the machine did. */
const SYSTEM = 'system/';

export function Metrics(props: {
  readonly run: IRun;
  readonly locale: string;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { run, locale, trans } = props;
  const all = sortMetrics(run.metrics).map(
    ([key, value]) => [key, formatMetric(value, locale, DIGITS)] as const
  );
  const isOwn = ([key]: readonly [string, string]) => !key.startsWith(SYSTEM);
  const machine = all
    .filter(entry => !isOwn(entry))
    .map(([key, value]) => [key.slice(SYSTEM.length), value] as const);
  return (
    <>
      <Entries title={trans.__('Metrics')} entries={all.filter(isOwn)} />
      {machine.length > 0 && (
        <details className="jp-MLOpsRun-more">
          <summary>{trans.__('%1 about the machine', machine.length)}</summary>
          <EntryList entries={machine} />
        </details>
      )}
    </>
  );
}
