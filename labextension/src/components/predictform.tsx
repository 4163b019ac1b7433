/**
 * Try a prediction: a form made from the signature, or rows as JSON.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IPredictions } from '../servingapi';
import type { IModelField, IProblem } from '../tokens';
import { readProblem } from '../tokens';
import { SmallButton } from './changebar';
import { PredictionsView } from './predictions';
import type { ISignature } from './predictwords';
import {
  chooseControl,
  fillField,
  listChoices,
  makeRow,
  nameRange,
  nameType,
  sortWords
} from './predictwords';

/** More fields are no form that anybody fills in. */
const MOST_FIELDS = 60;

export interface IPredictFormProps {
  readonly signature: ISignature;
  /** Of very many inputs only the first are in the signature. */
  readonly inputCount: number;
  /** Whether the version answers already; else it is served first. */
  readonly isServing: boolean;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onPredict: (inputs: readonly unknown[]) => Promise<IPredictions>;
}

interface IFieldProps {
  readonly field: IModelField;
  readonly text: string;
  readonly problem: string | undefined;
  readonly warning: string | undefined;
  readonly locale: string;
  readonly trans: TranslationBundle;
  readonly onChange: (text: string) => void;
}

function FieldInput(props: IFieldProps): React.JSX.Element {
  const { field, text, problem, warning, locale, trans, onChange } = props;
  const id = React.useId();
  const choices = listChoices(field);
  const isWrong = problem !== undefined;
  const shared = {
    id,
    value: text,
    'aria-invalid': isWrong,
    'aria-describedby': `${id}-words`
  };
  return (
    <div className="jp-MLOpsPredict-field">
      <label htmlFor={id}>
        {field.name} <small>{nameType(field)}</small>
      </label>
      {choices === null ? (
        <input
          {...shared}
          className="jp-MLOpsInput jp-mod-styled"
          // Not a number field, which would give what does not fit as nothing.
          inputMode={chooseControl(field) === 'number' ? 'decimal' : 'text'}
          autoComplete="off"
          onChange={event => onChange(event.target.value)}
        />
      ) : (
        <select
          {...shared}
          className="jp-MLOpsSelect"
          onChange={event => onChange(event.target.value)}
        >
          {field.nullable && <option value="">{trans.__('missing')}</option>}
          {choices.map(choice => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      )}
      <span
        id={`${id}-words`}
        className="jp-MLOpsPredict-words"
        data-wrong={isWrong}
      >
        {problem ?? warning ?? nameRange(field, locale)}
      </span>
    </div>
  );
}

interface IJsonFieldProps {
  readonly text: string;
  readonly isWrong: boolean;
  readonly trans: TranslationBundle;
  readonly onChange: (text: string) => void;
}

function JsonInput(props: IJsonFieldProps): React.JSX.Element {
  const { text, isWrong, trans, onChange } = props;
  return (
    <textarea
      className="jp-MLOpsPredict-json jp-MLOpsInput jp-mod-styled"
      aria-label={trans.__('Rows as JSON')}
      aria-invalid={isWrong}
      rows={6}
      spellCheck={false}
      value={text}
      onChange={event => onChange(event.target.value)}
    />
  );
}

interface IOutcome {
  readonly isBusy: boolean;
  readonly answer: IPredictions | null;
  readonly problem: Pick<IProblem, 'message' | 'hint'> | null;
}

const NOTHING: IOutcome = { isBusy: false, answer: null, problem: null };

/** Read rows, or say why the text is no list of them, without asking anybody. */
function readRows(
  text: string,
  trans: TranslationBundle
): readonly unknown[] | string {
  try {
    const rows: unknown = JSON.parse(text);
    return Array.isArray(rows)
      ? rows
      : trans.__('Expected a list of rows, such as [[1, 2]].');
  } catch (error) {
    return trans.__('This is no JSON: %1', (error as Error).message);
  }
}

function usePrediction(onPredict: IPredictFormProps['onPredict']): {
  readonly outcome: IOutcome;
  readonly run: (inputs: readonly unknown[] | string) => void;
} {
  const [outcome, setOutcome] = React.useState(NOTHING);
  const run = (inputs: readonly unknown[] | string) => {
    if (typeof inputs === 'string') {
      setOutcome({ ...NOTHING, problem: { message: inputs, hint: '' } });
      return;
    }
    setOutcome({ ...NOTHING, isBusy: true });
    onPredict(inputs).then(
      answer => setOutcome({ ...NOTHING, answer, problem: answer.problem }),
      (error: unknown) =>
        setOutcome({ ...NOTHING, problem: readProblem(error) })
    );
  };
  return { outcome, run };
}

function Outcome(props: {
  readonly outcome: IOutcome;
  /** What was said that is beside no field. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly locale: string;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { outcome, problems, warnings, locale, trans } = props;
  const { answer, problem } = outcome;
  return (
    <>
      {problem && (
        <p className="jp-MLOpsFilter-problem" role="alert">
          {[
            trans.__('No prediction.'),
            ...(problems.length > 0
              ? [...problems, problem.hint]
              : [trans.__('A value does not fit, see beside its field.')])
          ].join(' ')}
        </p>
      )}
      {answer && !problem && (
        <PredictionsView answer={answer} locale={locale} trans={trans} />
      )}
      {warnings.length > 0 && (
        <ul className="jp-MLOpsCard-small">
          {warnings.map(warning => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      )}
    </>
  );
}

/** One labelled input per column, or a box for rows as JSON, and what the model answered. */
export function PredictForm(props: IPredictFormProps): React.JSX.Element {
  const { signature, isServing, locale, trans } = props;
  const { inputs } = signature;
  const isLong = props.inputCount > MOST_FIELDS;
  const [texts, setTexts] = React.useState(() => inputs.map(fillField));
  const write = () => JSON.stringify([makeRow(signature, texts)], null, 1);
  const [json, setJson] = React.useState<string | null>(isLong ? write : null);
  const { outcome, run } = usePrediction(props.onPredict);
  const isForm = json === null;
  const sort = (words: readonly string[]) =>
    isForm
      ? sortWords(signature, words)
      : { fields: new Map<number, string>(), rest: words };
  const { problem, answer, isBusy } = outcome;
  const problems = sort(problem ? [problem.message] : []);
  const warnings = sort(answer?.warnings ?? []);
  return (
    <form
      aria-label={trans.__('Try a prediction')}
      onSubmit={event => {
        event.preventDefault();
        run(isForm ? [makeRow(signature, texts)] : readRows(json, trans));
      }}
    >
      {isForm ? (
        <div className="jp-MLOpsPredict">
          {inputs.map((field, place) => (
            <FieldInput
              key={place}
              field={field}
              text={texts[place] ?? ''}
              problem={problems.fields.get(place)}
              warning={warnings.fields.get(place)}
              locale={locale}
              trans={trans}
              onChange={text =>
                setTexts(texts.map((each, at) => (at === place ? text : each)))
              }
            />
          ))}
        </div>
      ) : (
        <JsonInput
          text={json}
          isWrong={problem !== null}
          trans={trans}
          onChange={setJson}
        />
      )}
      <div className="jp-MLOpsRunButtons">
        <button
          type="submit"
          className="jp-MLOpsButton jp-mod-styled"
          disabled={isBusy}
        >
          {isServing ? trans.__('Predict') : trans.__('Serve and predict')}
        </button>
        {!isLong && (
          <SmallButton
            label={isForm ? trans.__('Rows as JSON') : trans.__('As a form')}
            onClick={() => setJson(isForm ? write() : null)}
          />
        )}
        {isBusy && <span role="status">{trans.__('Asking the model…')}</span>}
      </div>
      <Outcome
        outcome={outcome}
        problems={problems.rest}
        warnings={warnings.rest}
        locale={locale}
        trans={trans}
      />
    </form>
  );
}
