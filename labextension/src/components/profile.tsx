/**
 * What the columns of a data set hold, beside those of an earlier version where there is one.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { pairColumns } from '../datadiff';
import type {
  IColumnProfile,
  IDatasetProfile,
  IDatasetVersion
} from '../datawords';
import { Pending, useAnswer } from './answer';
import { formatMetric } from './format';

export interface IProfileProps {
  /** Null to show one version alone. */
  readonly before: IDatasetVersion | null;
  readonly after: IDatasetVersion;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onProfile: (version: IDatasetVersion) => Promise<IDatasetProfile>;
}

/** Keeps the bytes of data under a name. */
const SNAPSHOT_LINE = '%mlops snapshot NAME';

type Field = 'missing' | 'distinct' | 'mean' | 'least' | 'greatest';

function Loaded(props: IProfileProps): React.JSX.Element {
  const { before, after, locale, trans, onProfile } = props;
  const other = before?.is_kept ? before : null;
  const answer = useAnswer(
    async () => ({
      before: other ? await onProfile(other) : null,
      after: await onProfile(after)
    }),
    [after.fingerprint, other?.fingerprint]
  );
  const fields: readonly (readonly [Field, string])[] = [
    ['missing', trans.__('Missing')],
    ['distinct', trans.__('Distinct')],
    ['mean', trans.__('Mean')],
    ['least', trans.__('Least')],
    ['greatest', trans.__('Greatest')]
  ];
  const show = (column: IColumnProfile | null, field: Field) => {
    const value = column?.[field] ?? null;
    return value === null ? '–' : formatMetric(value, locale);
  };
  return (
    <>
      <Pending answer={answer} trans={trans} />
      {answer.value && (
        <div
          className="jp-MLOpsProfile"
          tabIndex={0}
          role="group"
          aria-label={trans.__('What the columns hold')}
        >
          <table className="jp-MLOpsDiff">
            <thead>
              <tr>
                <th scope="col">{trans.__('Column')}</th>
                {fields.map(([field, label]) => (
                  <th scope="col" key={field}>
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {pairColumns(answer.value.before, answer.value.after).map(
                pair => (
                  <tr key={pair.name} data-differs={pair.differs}>
                    <th scope="row">{pair.name}</th>
                    {fields.map(([field]) => {
                      const one = show(pair.before, field);
                      const two = show(pair.after, field);
                      return (
                        <td key={field}>
                          {pair.differs && one !== two
                            ? `${one} → ${two}`
                            : two}
                        </td>
                      );
                    })}
                  </tr>
                )
              )}
            </tbody>
          </table>
          {answer.value.after.column_count >
            answer.value.after.columns.length && (
            <p>
              {trans.__(
                'The first %1 of %2 columns.',
                answer.value.after.columns.length,
                answer.value.after.column_count
              )}
            </p>
          )}
        </div>
      )}
    </>
  );
}

/** The columns, once somebody asks for them. */
export function ProfileTable(props: IProfileProps): React.JSX.Element {
  const { after, trans } = props;
  const [isAsked, setIsAsked] = React.useState(false);
  if (!after.is_kept) {
    return (
      <p className="jp-MLOpsLive-facts">
        {trans.__('Only its fingerprint is kept. To keep what it holds:')}{' '}
        <code>{SNAPSHOT_LINE}</code>
      </p>
    );
  }
  return isAsked ? (
    <Loaded {...props} />
  ) : (
    <button
      type="button"
      className="jp-MLOpsButton jp-mod-styled"
      onClick={() => setIsAsked(true)}
    >
      {trans.__('Show what the columns hold')}
    </button>
  );
}
