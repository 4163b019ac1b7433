/**
 * The cells that should be run again, each with the reasons and a way to it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IReason, ISuspect } from '../notebookwords';
import type { ICellPlace } from '../tokens';

/** So many cells are listed before somebody asks for more. */
const CELLS_AT_ONCE = 20;

/** More reasons for one cell help nobody. */
const MOST_REASONS = 3;

/** A name is as long as its author likes. */
const LONGEST_NAME = 40;

export interface ISuspectsProps {
  readonly suspects: readonly ISuspect[];
  /** Whether any cell has run yet. */
  readonly hasRun: boolean;
  readonly trans: TranslationBundle;
  readonly onGoTo: (place: ICellPlace) => void;
}

const shorten = (name: string) =>
  name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;

/**
 * Say why a cell should be run again.
 *
 * @param reason - what was found
 * @param trans - the language
 */
export function nameReason(reason: IReason, trans: TranslationBundle): string {
  const name = shorten(reason.name);
  const by = (reason.by ?? 0) + 1;
  switch (reason.kind) {
    case 'edited':
      return trans.__('It was edited since it ran.');
    case 'rebound':
      return trans.__('Cell %1 has set “%2” anew since.', by, name);
    case 'upstream':
      return trans.__(
        '“%2” comes from cell %1, which should run again.',
        by,
        name
      );
    case 'below':
      return trans.__(
        'It used “%2” as cell %1, further down, had left it.',
        by,
        name
      );
    case 'order':
      return trans.__(
        'It used “%2” as cell %1 had left it, not the nearest cell above that sets it.',
        by,
        name
      );
    case 'self':
      return trans.__('It ran again on what it had made of “%1” before.', name);
    case 'gone':
      return trans.__(
        'It used “%1”, which no cell above it sets any more.',
        name
      );
  }
}

function Suspect(props: {
  readonly suspect: ISuspect;
  readonly trans: TranslationBundle;
  readonly onGoTo: (place: ICellPlace) => void;
}): React.JSX.Element {
  const { suspect, trans, onGoTo } = props;
  const { cell, reasons, executionCount } = suspect;
  const first = cell.source.split('\n').find(line => line.trim()) ?? '';
  return (
    <li className="jp-MLOpsSuspect">
      <button
        type="button"
        className="jp-MLOpsSuspect-cell"
        onClick={() => onGoTo({ index: cell.index, id: cell.id })}
      >
        <span className="jp-MLOpsSuspect-head">
          {trans.__('Cell %1', cell.index + 1)}
          {executionCount !== null && ` [${executionCount}]`}
        </span>{' '}
        <code>{first.slice(0, 200)}</code>
      </button>
      <ul>
        {reasons.slice(0, MOST_REASONS).map((reason, place) => (
          <li key={place}>{nameReason(reason, trans)}</li>
        ))}
        {reasons.length > MOST_REASONS && (
          <li>
            {trans._n(
              'And one more reason.',
              'And %1 more reasons.',
              reasons.length - MOST_REASONS
            )}
          </li>
        )}
      </ul>
    </li>
  );
}

export function Suspects(props: ISuspectsProps): React.JSX.Element {
  const { suspects, hasRun, trans, onGoTo } = props;
  const [shown, setShown] = React.useState(CELLS_AT_ONCE);
  const title = trans.__('Cells to run again');
  return (
    <section aria-label={title}>
      <h4 className="jp-MLOpsNotebook-title">
        {title}
        {suspects.length > 0 && (
          <span className="jp-MLOpsNotebook-count">{suspects.length}</span>
        )}
      </h4>
      {suspects.length === 0 && (
        <p>
          {hasRun
            ? trans.__(
                'None: what has run is what a run from top to bottom would give, as far as the code tells.'
              )
            : trans.__('No cell has run since recording began.')}
        </p>
      )}
      {suspects.length > 0 && (
        <ul className="jp-MLOpsSuspects" aria-label={title}>
          {suspects.slice(0, shown).map(suspect => (
            <Suspect
              key={suspect.cell.id}
              suspect={suspect}
              trans={trans}
              onGoTo={onGoTo}
            />
          ))}
        </ul>
      )}
      {suspects.length > shown && (
        <button
          type="button"
          className="jp-MLOpsButton jp-mod-styled"
          onClick={() => setShown(shown + 5 * CELLS_AT_ONCE)}
        >
          {trans.__('Show more of the %1 cells', suspects.length)}
        </button>
      )}
    </section>
  );
}
