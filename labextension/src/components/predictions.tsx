/**
 * What a model answered: the value, or a small table of rows.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IPredictions } from '../servingapi';
import { formatMetric } from './format';
import { showValue } from './predictwords';

/** More rows are for a program. */
const MOST_ROWS = 100;

/** More columns are no table. */
const MOST_CLASSES = 12;

/** Enough to see what a model gave. */
const DIGITS = 10;

interface IPredictionsProps {
  readonly answer: IPredictions;
  readonly locale: string;
  readonly trans: TranslationBundle;
}

const say = (value: unknown, locale: string) =>
  typeof value === 'number'
    ? formatMetric(value, locale, DIGITS)
    : showValue(value);

/** The classes that have a probability in each row; none where they would be no table. */
function listClasses({ classes, probabilities }: IPredictions): string[] {
  const isTable =
    classes !== null &&
    classes.length <= MOST_CLASSES &&
    !!probabilities?.every(
      row => Array.isArray(row) && row.length === classes.length
    );
  return isTable ? classes.map(showValue) : [];
}

export function PredictionsView(props: IPredictionsProps): React.JSX.Element {
  const { answer, locale, trans } = props;
  const { predictions, probabilities } = answer;
  const classes = listClasses(answer);
  const hidden = predictions.length - MOST_ROWS;
  const [first] = predictions;
  return (
    <>
      <p className="jp-MLOpsDone" role="status">
        {predictions.length === 1
          ? trans.__('Prediction: %1', say(first, locale))
          : trans._n('%1 prediction', '%1 predictions', predictions.length)}
      </p>
      {(predictions.length > 1 || classes.length > 0) && (
        <div
          className="jp-MLOpsTable-wide"
          role="region"
          tabIndex={0}
          aria-label={trans.__('Predictions')}
        >
          <table className="jp-MLOpsTable">
            <thead>
              <tr>
                <th scope="col">{trans.__('Row')}</th>
                <th scope="col">{trans.__('Prediction')}</th>
                {classes.map((name, place) => (
                  <th key={place} scope="col" className="jp-mod-number">
                    {trans.__('Probability of %1', name)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {predictions.slice(0, MOST_ROWS).map((value, row) => (
                <tr key={row}>
                  <th scope="row">{row + 1}</th>
                  <td>{say(value, locale)}</td>
                  {classes.map((_, place) => (
                    <td key={place} className="jp-mod-number">
                      {say(
                        (probabilities?.[row] as readonly unknown[])[place],
                        locale
                      )}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {hidden > 0 && (
        <p>
          {trans._n(
            '%1 more is not listed here.',
            '%1 more are not listed here.',
            hidden
          )}
        </p>
      )}
    </>
  );
}
