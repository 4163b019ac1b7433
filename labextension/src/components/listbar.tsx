/**
 * What stands above the list of runs: filter, scope, order and columns.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IProblem, IQuery, IRun } from '../tokens';
import {
  listColumns,
  quoteColumn,
  splitColumn,
  unquoteColumn
} from './columns';
import { FilterBox } from './filterbox';

/** A menu of hundreds of names helps nobody; the filter box finds them all. */
const MOST_NAMES = 60;

export interface IListBarProps {
  readonly query: IQuery;
  /** Whether a notebook is in view, whose runs may be listed alone. */
  readonly hasNotebook: boolean;
  readonly filterProblem: IProblem | null;
  /** Those in view, whose names can be chosen. */
  readonly runs: readonly IRun[];
  readonly columns: readonly string[] | null;
  readonly trans: TranslationBundle;
  readonly onQuery: (change: Partial<IQuery>) => void;
  readonly onColumns: (columns: readonly string[] | null) => void;
}

interface ISelectProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly children: React.ReactNode;
}

function Select(props: ISelectProps): React.JSX.Element {
  return (
    <select
      className="jp-MLOpsSelect"
      aria-label={props.label}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    >
      {props.children}
    </select>
  );
}

function OrderSelect(
  props: IListBarProps & { readonly names: readonly string[] }
): React.JSX.Element {
  const { query, names, trans } = props;
  const metrics = names.filter(name => name.startsWith('metrics.'));
  const orders: [string, string][] = [
    ['', trans.__('Newest first')],
    ['started_at ASC', trans.__('Oldest first')],
    ['duration_s DESC', trans.__('Longest first')],
    ['name ASC', trans.__('By name')]
  ];
  for (const name of metrics) {
    const [, key] = splitColumn(name);
    const quoted = quoteColumn(name);
    if (quoted) {
      orders.push(
        [`${quoted} DESC`, trans.__('Highest %1', key)],
        [`${quoted} ASC`, trans.__('Lowest %1', key)]
      );
    }
  }
  const { orderBy } = query;
  if (orderBy && !orders.some(([order]) => order === orderBy)) {
    orders.push([orderBy, orderBy]);
  }
  return (
    <Select
      label={trans.__('Order of runs')}
      value={orderBy ?? ''}
      onChange={order => props.onQuery({ orderBy: order || null })}
    >
      {orders.map(([order, label]) => (
        <option key={order} value={order}>
          {label}
        </option>
      ))}
    </Select>
  );
}

function GroupSelect(
  props: IListBarProps & { readonly names: readonly string[] }
): React.JSX.Element {
  const { query, names, trans } = props;
  const groups: [string, string][] = [
    ['', trans.__('No groups')],
    ['experiment', trans.__('By experiment')]
  ];
  if (query.scope === 'store') {
    groups.push(['notebook', trans.__('By notebook')]);
  }
  for (const name of names) {
    const quoted = quoteColumn(name);
    if (quoted !== null && !name.startsWith('metrics.')) {
      groups.push([quoted, trans.__('By %1', splitColumn(name)[1])]);
    }
  }
  const { groupBy } = query;
  if (groupBy !== null && !groups.some(([group]) => group === groupBy)) {
    const [, key] = splitColumn(unquoteColumn(groupBy));
    groups.push([groupBy, trans.__('By %1', key)]);
  }
  return (
    <Select
      label={trans.__('Groups of runs')}
      value={groupBy ?? ''}
      onChange={group => props.onQuery({ groupBy: group || null })}
    >
      {groups.map(([group, label]) => (
        <option key={group} value={group}>
          {label}
        </option>
      ))}
    </Select>
  );
}

function ColumnsMenu(
  props: IListBarProps & { readonly names: readonly string[] }
): React.JSX.Element {
  const { columns, names, trans } = props;
  const chosen = columns ?? [];
  const all = [...new Set([...chosen, ...names])];
  const toggle = (name: string) => {
    const next = chosen.includes(name)
      ? chosen.filter(other => other !== name)
      : [...chosen, name];
    props.onColumns(next.length > 0 ? next : null);
  };
  return (
    <details className="jp-MLOpsColumns">
      <summary className="jp-MLOpsSelect">{trans.__('Columns')}</summary>
      <fieldset className="jp-MLOpsColumns-menu">
        <legend>{trans.__('Shown in each row')}</legend>
        <label>
          <input
            type="checkbox"
            checked={columns === null}
            onChange={() => props.onColumns(null)}
          />
          <span>{trans.__('What most runs have')}</span>
        </label>
        {all.map(name => (
          <label key={name} title={name}>
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={() => toggle(name)}
            />
            <span>{name}</span>
          </label>
        ))}
      </fieldset>
    </details>
  );
}

export function ListBar(props: IListBarProps): React.JSX.Element {
  const { query, trans } = props;
  const known = React.useMemo(() => listColumns(props.runs), [props.runs]);
  const names = known.slice(0, MOST_NAMES);
  return (
    <div className="jp-MLOpsListBar" role="search">
      <FilterBox
        filter={query.filter}
        problem={props.filterProblem}
        columns={known}
        trans={trans}
        onFilter={filter => props.onQuery({ filter })}
      />
      <div className="jp-MLOpsListBar-line">
        {props.hasNotebook && (
          <Select
            label={trans.__('Which runs')}
            value={query.scope}
            onChange={scope =>
              props.onQuery({ scope: scope === 'store' ? 'store' : 'notebook' })
            }
          >
            <option value="notebook">{trans.__('This notebook')}</option>
            <option value="store">{trans.__('All notebooks')}</option>
          </Select>
        )}
        <OrderSelect {...props} names={names} />
        <GroupSelect {...props} names={names} />
        <ColumnsMenu {...props} names={names} />
      </div>
    </div>
  );
}
