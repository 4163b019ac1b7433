/**
 * The tags that people set on a run, each with a button that removes it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IRun } from '../tokens';
import { formatParam } from './format';

/** Tags that people set; ours tell the panel things. */
export function listTags(run: IRun): [string, string][] {
  return Object.entries(run.tags)
    .filter(([key]) => !key.startsWith('mlops.') && key !== 'params.changed')
    .map(([key, value]) => [key, formatParam(value)]);
}

/** Tags, each with a button that removes it. */
export function Tags(props: {
  readonly run: IRun;
  readonly trans: TranslationBundle;
  readonly onRemove: (run: IRun, key: string) => void;
}): React.JSX.Element | null {
  const { run, trans, onRemove } = props;
  const tags = listTags(run);
  if (tags.length === 0) {
    return null;
  }
  return (
    <>
      <h4 className="jp-MLOpsRun-group">{trans.__('Tags')}</h4>
      <ul className="jp-MLOpsTags" role="list" aria-label={trans.__('Tags')}>
        {tags.map(([key, value]) => (
          <li key={key} className="jp-MLOpsTags-tag">
            <span className="jp-MLOpsTags-words">
              <bdi>{key}</bdi> <bdi className="jp-MLOpsTags-value">{value}</bdi>
            </span>
            <button
              type="button"
              className="jp-MLOpsTags-remove"
              aria-label={trans.__('Remove the tag %1', key)}
              title={trans.__('Remove the tag %1', key)}
              onClick={() => onRemove(run, key)}
            >
              <closeIcon.react tag="span" aria-hidden />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
