/**
 * Runs side by side as a table: what differs first, what is the same on demand.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IComparedRow, IComparison, IRun, MetricValue } from '../tokens';
import { readProblem } from '../tokens';
import { SmallButton } from './changebar';
import { Breakable } from './entries';
import { formatMetric, formatParam, has, isCost } from './format';
import { nameStatus } from './run';
import { explainProblem } from './states';

export interface IComparisonProps {
  readonly comparison: IComparison;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onOpen: (run: IRun) => void;
  /** Ask for the rows from one on. */
  readonly onMore: (offset: number) => Promise<IComparison>;
}

function nameGroup(
  group: IComparedRow['group'],
  trans: TranslationBundle
): string {
  switch (group) {
    case 'metric':
      return trans.__('Metrics');
    case 'param':
      return trans.__('Parameters');
    case 'dataset':
      return trans.__('Data');
    case 'environment':
      return trans.__('Environment');
    case 'code':
      return trans.__('Code');
    case 'tag':
      return trans.__('Tags');
  }
}

/** The greatest of a row's results; no word of which is better is implied. */
function findHighest(row: IComparedRow): number | null {
  const numbers = row.values.filter(
    (value): value is number => typeof value === 'number'
  );
  const isResult = row.group === 'metric' && !isCost(row.key);
  return isResult && row.differs && numbers.length > 1
    ? numbers.reduce((one, other) => Math.max(one, other))
    : null;
}

/** What a run gave stands before what it cost. */
const rankCost = ({ group, key }: IComparedRow) =>
  Number(group === 'metric' && isCost(key));

/** Tell what a run does not have from what is None in it. */
const isAbsent = (row: IComparedRow, value: unknown, run: IRun | undefined) =>
  value === null && !(row.group === 'param' && run && has(run.params, row.key));

function Row(
  props: IComparisonProps & { readonly row: IComparedRow }
): React.JSX.Element {
  const { row, comparison, locale, trans } = props;
  const highest = findHighest(row);
  return (
    <tr data-differs={row.differs}>
      <th scope="row">
        <Breakable name={row.key} />
      </th>
      {row.values.map((value, place) => (
        <td
          key={place}
          className={row.group === 'metric' ? 'jp-mod-number' : ''}
          data-highest={highest !== null && value === highest}
        >
          {isAbsent(row, value, comparison.runs[place]) ? (
            <span className="jp-MLOpsNone" title={trans.__('none')}>
              –
            </span>
          ) : row.group === 'metric' ? (
            <span title={String(value)}>
              {formatMetric(value as MetricValue, locale, 6)}
            </span>
          ) : (
            formatParam(value)
          )}
        </td>
      ))}
    </tr>
  );
}

function Head(props: IComparisonProps): React.JSX.Element {
  const { comparison, locale, trans } = props;
  return (
    <thead>
      <tr>
        <td />
        {comparison.runs.map(run => (
          <th key={run.run_id} scope="col">
            <button
              type="button"
              className="jp-MLOpsLink"
              title={run.name}
              onClick={() => props.onOpen(run)}
            >
              {run.name}
            </button>
            <span className="jp-MLOpsTable-small">
              {nameStatus(run.status, trans)}
              {' · '}
              {new Date(run.started_at).toLocaleString(locale, {
                dateStyle: 'medium',
                timeStyle: 'short'
              })}
            </span>
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Groups(
  props: IComparisonProps & { readonly rows: readonly IComparedRow[] }
): React.JSX.Element {
  const { rows, comparison, trans } = props;
  const groups = [...new Set(rows.map(row => row.group))];
  return (
    <>
      {groups.map(group => (
        <tbody key={group}>
          <tr className="jp-MLOpsTable-group">
            <th colSpan={comparison.runs.length + 1} scope="rowgroup">
              {nameGroup(group, trans)}
            </th>
          </tr>
          {rows
            .filter(row => row.group === group)
            .sort((one, other) => rankCost(one) - rankCost(other))
            .map(row => (
              <Row {...props} key={row.key} row={row} />
            ))}
        </tbody>
      ))}
    </>
  );
}

const identify = ({ group, key }: IComparedRow) => JSON.stringify([group, key]);

/** The rows of further pages, which a button asks for. */
function More(
  props: IComparisonProps & {
    readonly offset: number;
    readonly onRows: (rows: readonly IComparedRow[]) => void;
  }
): React.JSX.Element | null {
  const { comparison, offset, trans } = props;
  const [isBusy, setBusy] = React.useState(false);
  const [problem, setProblem] = React.useState('');
  const hidden = comparison.count - offset;
  if (hidden <= 0) {
    return null;
  }
  const ask = () => {
    setBusy(true);
    setProblem('');
    props
      .onMore(offset)
      .then(({ rows }) => props.onRows(rows))
      .catch((error: unknown) => {
        const found = readProblem(error);
        // Some problems have no message of their own.
        const { title } = explainProblem(found, trans);
        setProblem(`${title}. ${found.message}`.trim());
      })
      .finally(() => setBusy(false));
  };
  return (
    <div className="jp-MLOpsRunButtons">
      <SmallButton
        label={trans.__('Show more rows')}
        isOff={isBusy}
        onClick={ask}
      />
      <span role="status">
        {trans._n('%1 more is not shown.', '%1 more are not shown.', hidden)}{' '}
        {problem}
      </span>
    </div>
  );
}

export function ComparisonTable(props: IComparisonProps): React.JSX.Element {
  const { comparison, trans } = props;
  const [isWhole, setIsWhole] = React.useState(false);
  const [further, setFurther] = React.useState<readonly IComparedRow[]>([]);
  // Runs may be at work: a row of a further page may have come onto the first.
  const first = new Set(comparison.rows.map(identify));
  const rows = [
    ...comparison.rows,
    ...further.filter(row => !first.has(identify(row)))
  ];
  const differing = rows.filter(row => row.differs);
  const same = rows.filter(row => !row.differs);
  return (
    <>
      {differing.length === 0 && (
        <p role="status">
          {trans.__('Nothing that was recorded differs between these runs.')}
        </p>
      )}
      <div
        className="jp-MLOpsTable-scroll"
        role="region"
        tabIndex={0}
        aria-label={trans.__('Differences')}
      >
        <table className="jp-MLOpsTable">
          <Head {...props} />
          <Groups {...props} rows={differing} />
          {same.length > 0 && (
            <tbody>
              <tr className="jp-MLOpsTable-more">
                <th colSpan={comparison.runs.length + 1}>
                  <button
                    type="button"
                    className="jp-MLOpsButton jp-mod-styled"
                    aria-expanded={isWhole}
                    onClick={() => setIsWhole(!isWhole)}
                  >
                    {isWhole
                      ? trans.__('Hide what is the same')
                      : trans._n(
                          'Show %1 that is the same',
                          'Show %1 that are the same',
                          same.length
                        )}
                  </button>
                </th>
              </tr>
            </tbody>
          )}
          {isWhole && <Groups {...props} rows={same} />}
        </table>
      </div>
      <More
        {...props}
        offset={rows.length}
        onRows={found => setFurther([...further, ...found])}
      />
    </>
  );
}
