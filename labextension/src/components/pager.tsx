/**
 * Turns the pages of a list.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { SmallButton } from './changebar';

export interface IPagerProps {
  readonly label: string;
  /** Which entries are shown. */
  readonly words: string;
  readonly offset: number;
  readonly limit: number;
  readonly hasMore: boolean;
  readonly trans: TranslationBundle;
  readonly onTurnTo: (offset: number) => void;
}

/** Two buttons and where one is between them; nothing where all fits on one page. */
export function Pager(props: IPagerProps): React.JSX.Element | null {
  const { offset, limit, hasMore, trans, onTurnTo } = props;
  if (offset === 0 && !hasMore) {
    return null;
  }
  return (
    <nav className="jp-MLOpsPager" aria-label={props.label}>
      <SmallButton
        label={trans.__('Previous')}
        isOff={offset === 0}
        onClick={() => onTurnTo(Math.max(0, offset - limit))}
      />
      <span>{props.words}</span>
      <SmallButton
        label={trans.__('Next')}
        isOff={!hasMore}
        onClick={() => onTurnTo(offset + limit)}
      />
    </nav>
  );
}
