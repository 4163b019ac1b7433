/**
 * The environment of the last run against one that earlier runs ran in.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IDifference, IDifferences, IEnvironmentUse } from '../datawords';
import { Pending, useAnswer } from './answer';
import { formatAge, formatParam } from './format';

/** Rows that are shown before somebody asks for all. */
const ROWS_AT_ONCE = 30;

export interface IEnvironmentsProps {
  readonly environments: readonly IEnvironmentUse[];
  readonly runCount: number;
  readonly now: number;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onDiff: (before: string, after: string) => Promise<IDifferences>;
}

/** Give the groups of an environment's entries their words. */
function nameGroup(group: string, trans: TranslationBundle): string {
  switch (group) {
    case 'packages':
      return trans.__('Packages');
    case 'origins':
      return trans.__('Packages not from an index');
    case 'python':
      return trans.__('Python');
    case 'machine':
      return trans.__('Machine and devices');
    case 'threads':
      return trans.__('Threads');
    case 'variables':
      return trans.__('Environment variables');
    case 'seeds':
      return trans.__('Seeds');
    default:
      return group;
  }
}

function Rows(props: {
  readonly group: string;
  readonly rows: readonly IDifference[];
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { group, rows, trans } = props;
  const show = (value: unknown, none: string) =>
    value === null ? none : formatParam(value);
  return (
    <tbody>
      <tr>
        <th colSpan={3} scope="rowgroup" className="jp-MLOpsDiff-group">
          {nameGroup(group, trans)}
        </th>
      </tr>
      {rows.map(({ key, before, after }) => (
        <tr
          key={key}
          data-kind={
            before === null ? 'added' : after === null ? 'removed' : 'changed'
          }
        >
          <th scope="row">{key || nameGroup(group, trans)}</th>
          <td>{show(before, trans.__('none'))}</td>
          <td>{show(after, trans.__('none'))}</td>
        </tr>
      ))}
    </tbody>
  );
}

function Differences(
  props: IEnvironmentsProps & {
    readonly before: IEnvironmentUse;
    readonly after: IEnvironmentUse;
  }
): React.JSX.Element {
  const { before, after, locale, trans, onDiff } = props;
  const [isWhole, setIsWhole] = React.useState(false);
  const answer = useAnswer(
    () => onDiff(before.run_id, after.run_id),
    [before.run_id, after.run_id]
  );
  const rows = answer.value?.rows ?? [];
  const shown = isWhole ? rows : rows.slice(0, ROWS_AT_ONCE);
  const groups = [...new Set(shown.map(({ group }) => group))];
  return (
    <>
      <Pending answer={answer} trans={trans} />
      {answer.value && rows.length === 0 && (
        <p>{trans.__('Nothing that matters differs.')}</p>
      )}
      {rows.length > 0 && (
        <table className="jp-MLOpsDiff">
          <caption>
            {trans._n(
              '%1 difference',
              '%1 differences',
              answer.value?.count ?? 0
            )}
          </caption>
          <thead>
            <tr>
              <th scope="col">{trans.__('What')}</th>
              <th scope="col">{trans.__('Then')}</th>
              <th scope="col">{trans.__('Last run')}</th>
            </tr>
          </thead>
          {groups.map(group => (
            <Rows
              key={group}
              group={group}
              rows={shown.filter(row => row.group === group)}
              trans={trans}
            />
          ))}
        </table>
      )}
      {rows.length > shown.length && (
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          onClick={() => setIsWhole(true)}
        >
          {trans.__('Show all %1', rows.length.toLocaleString(locale))}
        </button>
      )}
    </>
  );
}

export function Environments(props: IEnvironmentsProps): React.JSX.Element {
  const { environments, runCount, now, locale, trans } = props;
  const [chosen, setChosen] = React.useState<string | null>(null);
  const [last, ...earlier] = environments;
  const before =
    earlier.find(({ digest }) => digest === chosen) ?? earlier[0] ?? null;
  const title = trans.__('Environment');
  return (
    <section aria-label={title}>
      <h4 className="jp-MLOpsNotebook-title">{title}</h4>
      {!last && <p>{trans.__('No run has recorded its environment yet.')}</p>}
      {last && !before && (
        <p>
          {trans._n(
            'The only run so far: from the next on, what changes is shown here.',
            'All of the last %1 runs ran in the same environment.',
            runCount
          )}
        </p>
      )}
      {last && before && (
        <>
          <label className="jp-MLOpsData-choice">
            {trans.__('The last run against')}{' '}
            <select
              className="jp-MLOpsInput"
              value={before.digest}
              onChange={event => setChosen(event.target.value)}
            >
              {earlier.map(use => (
                <option key={use.digest} value={use.digest}>
                  {use.run_name.slice(0, 60)},{' '}
                  {formatAge(Date.parse(use.last_at), now, locale)}
                </option>
              ))}
            </select>
          </label>
          <Differences {...props} before={before} after={last} />
        </>
      )}
    </section>
  );
}
