/**
 * The fields of a form that say how a step runs.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IStepOptions, TextOption } from './stepoptions';

/** Longer values are no options. */
const LONGEST = 500;

export interface IOptionFieldsProps {
  readonly options: IStepOptions;
  /** Those whose values have the wrong form. */
  readonly wrong: readonly TextOption[];
  readonly trans: TranslationBundle;
  readonly onChange: (options: IStepOptions) => void;
}

/** Label and example of each option that is typed. */
function nameFields(
  trans: TranslationBundle
): [Exclude<TextOption, 'cache'>, string, string][] {
  return [
    ['when', trans.__('Runs only if'), "model == 'rf'"],
    ['retries', trans.__('Tried again up to'), '2'],
    ['timeout', trans.__('Longest time'), '10m'],
    ['cpu', trans.__('Processor cores'), '2'],
    ['gpu', trans.__('GPUs'), '1'],
    ['mem', trans.__('Memory'), '4G'],
    ['out', trans.__('Leaves the variables'), 'model, score']
  ];
}

export function OptionFields(props: IOptionFieldsProps): React.JSX.Element {
  const { options, wrong, trans, onChange } = props;
  const listId = React.useId();
  const fields = nameFields(trans);
  return (
    <div
      className="jp-MLOpsOptions"
      role="group"
      aria-label={trans.__('How the step runs')}
    >
      {fields.map(([word, label, example]) => (
        <React.Fragment key={word}>
          <label htmlFor={`${listId}${word}`}>{label}</label>
          <input
            id={`${listId}${word}`}
            className="jp-MLOpsInput jp-mod-styled"
            aria-invalid={wrong.includes(word)}
            placeholder={example}
            value={options[word]}
            maxLength={LONGEST}
            onChange={event =>
              onChange({ ...options, [word]: event.target.value })
            }
          />
        </React.Fragment>
      ))}
      <label htmlFor={`${listId}cache`}>{trans.__('Earlier result')}</label>
      <select
        id={`${listId}cache`}
        className="jp-MLOpsSelect"
        value={options.cache}
        onChange={event => onChange({ ...options, cache: event.target.value })}
      >
        <option value="">{trans.__('As the run says')}</option>
        <option value="enabled">{trans.__('May be used')}</option>
        <option value="disabled">{trans.__('Is never used')}</option>
      </select>
      <label className="jp-MLOpsOptions-check">
        <input
          type="checkbox"
          checked={options.isForeach}
          onChange={() =>
            onChange({ ...options, isForeach: !options.isForeach })
          }
        />
        {trans.__('One loop, whose rounds may run at once')}
      </label>
      <label className="jp-MLOpsOptions-check">
        <input
          type="checkbox"
          checked={options.mayFail}
          onChange={() => onChange({ ...options, mayFail: !options.mayFail })}
        />
        {trans.__('An error is expected, and the step goes on')}
      </label>
      {wrong.length > 0 && (
        <p className="jp-MLOpsFilter-problem" role="alert">
          {trans.__(
            'Not readable: %1.',
            fields
              .filter(([word]) => wrong.includes(word))
              .map(([, label]) => label)
              .join(', ')
          )}
        </p>
      )}
    </div>
  );
}
