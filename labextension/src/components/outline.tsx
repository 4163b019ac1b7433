/**
 * The outlines of two versions of a data set, as far as they differ.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IOutlineChange } from '../datadiff';
import { compareOutlines } from '../datadiff';
import type { IDatasetVersion } from '../datawords';
import { formatSize } from './format';

export interface IOutlineProps {
  readonly before: IDatasetVersion;
  readonly after: IDatasetVersion;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

function nameChange(change: IOutlineChange, trans: TranslationBundle): string {
  switch (change.kind) {
    case 'rows':
      return trans.__('Rows');
    case 'shape':
      return trans.__('Shape');
    case 'size':
      return trans.__('Size');
    case 'column':
      return change.name;
  }
}

export function OutlineTable(props: IOutlineProps): React.JSX.Element {
  const { before, after, locale, trans } = props;
  const changes = compareOutlines(before, after);
  if (changes.length === 0) {
    return (
      <p>{trans.__('The same rows and columns; values in them differ.')}</p>
    );
  }
  const show = ({ kind }: IOutlineChange, value: string | number | null) =>
    value === null
      ? '–'
      : typeof value === 'string'
        ? value
        : kind === 'size'
          ? formatSize(value, locale)
          : value.toLocaleString(locale);
  return (
    <table className="jp-MLOpsDiff">
      <thead>
        <tr>
          <th scope="col">{trans.__('What')}</th>
          <th scope="col">{trans.__('Before')}</th>
          <th scope="col">{trans.__('After')}</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change, place) => (
          <tr key={place} data-kind={change.kind}>
            <th scope="row">{nameChange(change, trans)}</th>
            <td>{show(change, change.before)}</td>
            <td>{show(change, change.after)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
