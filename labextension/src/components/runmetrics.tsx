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

/** More names than that fold away, or nobody finds what stands below them. */
export const MOST_AT_ONCE = 40;

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
  const own = all.filter(isOwn);
  const folded = own.slice(MOST_AT_ONCE);
  return (
    <>
      <Entries
        title={trans.__('Metrics')}
        entries={own.slice(0, MOST_AT_ONCE)}
      />
      {folded.length > 0 && (
        <details className="jp-MLOpsRun-more">
          <summary>
            {trans._n('%1 more metric', '%1 more metrics', folded.length)}
          </summary>
          <EntryList entries={folded} />
        </details>
      )}
      {machine.length > 0 && (
        <details className="jp-MLOpsRun-more">
          <summary>{trans.__('%1 about the machine', machine.length)}</summary>
          <EntryList entries={machine} />
        </details>
      )}
    </>
  );
}
