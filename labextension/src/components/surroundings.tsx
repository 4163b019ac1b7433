/**
 * What a run ran in: data, environment, and the code as it ran.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type {
  ICell,
  ICellsPage,
  IDataset,
  IRunDetails,
  ISurroundings
} from '../tokens';
import { Pending, useAnswer } from './answer';
import { formatDuration, formatSize } from './format';
import { Entries } from './entries';

interface IDatasetsProps {
  readonly datasets: readonly IDataset[];
  readonly locale: string;
  readonly trans: TranslationBundle;
}

export function Datasets(props: IDatasetsProps): React.JSX.Element | null {
  const { datasets, locale, trans } = props;
  if (datasets.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Data')}>
      <h2>{trans.__('Data')}</h2>
      <table className="jp-MLOpsTable">
        <thead>
          <tr>
            <th scope="col">{trans.__('Used as')}</th>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Shape')}</th>
            <th scope="col">{trans.__('Size')}</th>
            <th scope="col">{trans.__('Fingerprint')}</th>
          </tr>
        </thead>
        <tbody>
          {datasets.map((dataset, place) => (
            <tr key={place}>
              <th scope="row">{dataset.role || dataset.kind}</th>
              <td>
                {dataset.columns.length === 0 ? (
                  dataset.name
                ) : (
                  <details>
                    <summary>{dataset.name || dataset.kind}</summary>
                    <Entries
                      title={trans.__('Columns')}
                      entries={dataset.columns}
                    />
                  </details>
                )}
              </td>
              <td className="jp-mod-number">{dataset.shape.join(' × ')}</td>
              <td className="jp-mod-number">
                {formatSize(dataset.size_bytes, locale)}
              </td>
              <td>
                <code title={dataset.fingerprint}>
                  {dataset.fingerprint.slice(0, 12)}
                </code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A member of a document of which we know only that it is JSON. */
function pick(
  document: unknown,
  ...path: readonly string[]
): Readonly<Record<string, unknown>> {
  let found: unknown = document;
  for (const key of path) {
    found = (found as Record<string, unknown> | null | undefined)?.[key];
  }
  return typeof found === 'object' && found !== null
    ? (found as Record<string, unknown>)
    : {};
}

const say = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

function Documents(props: {
  readonly surroundings: ISurroundings;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { environment, code } = props.surroundings;
  const { trans } = props;
  const packages = Object.entries(pick(environment, 'packages'));
  const imported = Object.entries(pick(environment, 'imported'));
  const git = pick(code);
  const facts: [string, string][] = [
    [trans.__('Python'), say(pick(environment, 'python')['version'])],
    [trans.__('Commit'), say(git['commit'])],
    [trans.__('Branch'), say(git['branch'])]
  ];
  const list = (entries: [string, unknown][]) =>
    entries.map(([name, version]) => [name, say(version)] as const);
  return (
    <>
      <Entries
        title={trans.__('Facts')}
        entries={facts.filter(([, value]) => value)}
      />
      <Entries title={trans.__('Imported')} entries={list(imported)} />
      {packages.length > 0 && (
        <details className="jp-MLOpsRun-more">
          <summary>
            {trans._n(
              'The one installed package',
              'All %1 installed packages',
              packages.length
            )}
          </summary>
          <Entries title={trans.__('Packages')} entries={list(packages)} />
        </details>
      )}
      {say(git['diff']) && (
        <details className="jp-MLOpsRun-more">
          <summary>{trans.__('Changes that were not committed')}</summary>
          <pre className="jp-MLOpsCode" tabIndex={0}>
            {say(git['diff'])}
          </pre>
        </details>
      )}
    </>
  );
}

export interface IEnvironmentProps {
  readonly run: IRunDetails;
  readonly trans: TranslationBundle;
  readonly onAsk: () => Promise<ISurroundings>;
}

export function Environment(
  props: IEnvironmentProps
): React.JSX.Element | null {
  const { run, trans } = props;
  const isKept = run.environment !== null || run.code !== null;
  const answer = useAnswer(
    () =>
      isKept
        ? props.onAsk()
        : Promise.resolve<ISurroundings>({ environment: null, code: null }),
    [run.environment, run.code]
  );
  if (!isKept) {
    return null;
  }
  return (
    <section aria-label={trans.__('Environment')}>
      <h2>{trans.__('Environment')}</h2>
      <Pending answer={answer} trans={trans} />
      {answer.value && <Documents surroundings={answer.value} trans={trans} />}
    </section>
  );
}

function Cell(props: {
  readonly cell: ICell;
  readonly locale: string;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { cell, locale, trans } = props;
  return (
    <li className="jp-MLOpsCell" data-status={cell.status}>
      <span className="jp-MLOpsCell-head">
        {trans.__('Cell %1', `[${cell.execution_count ?? ' '}]`)}
        {cell.duration_s !== null &&
          ` · ${formatDuration(cell.duration_s, locale)}`}
      </span>
      <pre className="jp-MLOpsCode" tabIndex={0}>
        {cell.source}
      </pre>
      {cell.error && <p className="jp-MLOpsRun-error">{cell.error}</p>}
    </li>
  );
}

export interface ICodeProps {
  readonly count: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onAsk: (offset: number) => Promise<ICellsPage>;
}

/** The cells that the kernel had executed, the first page first. */
export function Code(props: ICodeProps): React.JSX.Element | null {
  const { count, locale, trans } = props;
  const [offset, setOffset] = React.useState(0);
  const answer = useAnswer(() => props.onAsk(offset), [offset, count]);
  if (count === 0) {
    return null;
  }
  const cells = answer.value?.cells ?? [];
  return (
    <section aria-label={trans.__('Code as it ran')}>
      <h2>{trans.__('Code as it ran')}</h2>
      <Pending answer={answer} trans={trans} />
      <ol className="jp-MLOpsCells">
        {cells.map(cell => (
          <Cell key={cell.index} cell={cell} locale={locale} trans={trans} />
        ))}
      </ol>
      {(offset > 0 || offset + cells.length < count) && (
        <nav className="jp-MLOpsPager" aria-label={trans.__('Pages of cells')}>
          <button
            type="button"
            className="jp-MLOpsButton jp-mod-styled"
            disabled={offset === 0}
            onClick={() => setOffset(Math.max(0, offset - CELLS_AT_ONCE))}
          >
            {trans.__('Previous')}
          </button>
          <span>
            {trans.__(
              'Cells %1 to %2 of %3',
              offset + 1,
              offset + cells.length,
              count
            )}
          </span>
          <button
            type="button"
            className="jp-MLOpsButton jp-mod-styled"
            disabled={offset + cells.length >= count}
            onClick={() => setOffset(offset + CELLS_AT_ONCE)}
          >
            {trans.__('Next')}
          </button>
        </nav>
      )}
    </section>
  );
}

/** What the server gives on one page unless asked for less. */
const CELLS_AT_ONCE = 50;
