/**
 * Says what the active cell is for: begins a step, declares parameters, is left out.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IActiveCell } from '../bridge';
import type { CellKind } from './celltags';
import { isStepName, readRole, writeRole } from './celltags';
import { OptionFields } from './optionfields';
import { findWrong, readOptions, writeOptions } from './stepoptions';

/** Longer lines say no more about which cell is meant. */
const LONGEST_LINE = 60;

export interface ITagFormProps {
  readonly cell: IActiveCell | null;
  /** Steps above and below, for the names that may be waited for. */
  readonly steps: readonly string[];
  readonly isReadOnly: boolean;
  readonly isBusy: boolean;
  /** Whether there is room for how the step runs. */
  readonly hasOptions?: boolean;
  readonly trans: TranslationBundle;
  readonly onTag: (tags: readonly string[]) => void;
}

function nameKinds(trans: TranslationBundle): [CellKind, string][] {
  return [
    ['none', trans.__('Belongs to the step above')],
    ['step', trans.__('Begins or continues a step')],
    ['parameters', trans.__('Declares parameters')],
    ['imports', trans.__('Runs in every step')],
    ['skip', trans.__('Is left out')]
  ];
}

/** Name of the step, and the steps that it waits for. */
function StepFields(props: {
  readonly steps: readonly string[];
  readonly step: string;
  readonly after: string;
  /** The names in `after`. */
  readonly waits: readonly string[];
  readonly trans: TranslationBundle;
  readonly onStep: (name: string) => void;
  readonly onAfter: (names: string) => void;
}): React.JSX.Element {
  const { steps, step, after, waits, trans } = props;
  const listId = React.useId();
  return (
    <>
      <input
        className="jp-MLOpsInput jp-mod-styled"
        aria-label={trans.__('Name of the step')}
        aria-invalid={step !== '' && !isStepName(step)}
        placeholder={trans.__('Name of the step')}
        value={step}
        required
        maxLength={100}
        list={listId}
        onChange={event => props.onStep(event.target.value.trim())}
      />
      <datalist id={listId}>
        {steps.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <input
        className="jp-MLOpsInput jp-mod-styled"
        aria-label={trans.__('Also waits for')}
        aria-invalid={waits.some(name => !isStepName(name))}
        placeholder={trans.__('Also waits for (names of steps)')}
        value={after}
        maxLength={1000}
        onChange={event => props.onAfter(event.target.value)}
      />
    </>
  );
}

/** The form of one cell; another cell gets a form of its own. */
function CellForm(
  props: ITagFormProps & { readonly cell: IActiveCell }
): React.JSX.Element {
  const { cell, steps, isBusy, trans, onTag } = props;
  const role = readRole(cell.tags);
  const [kind, setKind] = React.useState(role.kind);
  const [step, setStep] = React.useState(role.step);
  const [after, setAfter] = React.useState(role.after.join(', '));
  const waits = after
    .split(',')
    .map(name => name.trim())
    .filter(Boolean);
  const wrong = [step, ...waits].find(name => !isStepName(name));
  const isWrong = kind === 'step' && wrong !== undefined;
  const [options, setOptions] = React.useState(() => readOptions(cell.tags));
  const withOptions =
    props.hasOptions === true && (kind === 'step' || kind === 'none');
  const wrongOptions = withOptions ? findWrong(options) : [];
  const plain = writeRole(cell.tags, { kind, step, after: waits });
  const tags = withOptions ? writeOptions(plain, options) : plain;
  const isSame = [...tags].sort().join() === [...cell.tags].sort().join();
  return (
    <form
      className="jp-MLOpsTagForm"
      aria-label={trans.__('What the active cell is for')}
      onSubmit={event => {
        event.preventDefault();
        onTag(tags);
      }}
    >
      <select
        className="jp-MLOpsSelect"
        aria-label={trans.__('What the cell is for')}
        value={kind}
        onChange={event => setKind(event.target.value as CellKind)}
      >
        {nameKinds(trans).map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      {kind === 'step' && (
        <StepFields
          {...{ steps, step, after, waits, trans }}
          onStep={setStep}
          onAfter={setAfter}
        />
      )}
      {withOptions && (
        <OptionFields
          options={options}
          wrong={wrongOptions}
          trans={trans}
          onChange={setOptions}
        />
      )}
      {isWrong && wrong !== '' && (
        <p className="jp-MLOpsFilter-problem" role="alert">
          {trans.__(
            '“%1” is no name of a step: letters, digits, “_” and “-”, not a digit first.',
            wrong
          )}
        </p>
      )}
      <button
        type="submit"
        className="jp-MLOpsButton jp-mod-styled"
        disabled={isBusy || isWrong || isSame || wrongOptions.length > 0}
        title={trans.__('Set the tags and save the notebook')}
      >
        {trans.__('Tag and save')}
      </button>
    </form>
  );
}

export function TagForm(props: ITagFormProps): React.JSX.Element {
  const { cell, isReadOnly, trans } = props;
  const line = cell?.firstLine.trim() ?? '';
  return (
    <section
      className="jp-MLOpsTagBox"
      aria-label={trans.__('The active cell')}
    >
      <h4 className="jp-MLOpsRun-group">
        {cell
          ? trans.__('Active cell %1', cell.index + 1)
          : trans.__('Active cell')}
        {line && (
          <code className="jp-MLOpsTagBox-line" title={line}>
            {line.slice(0, LONGEST_LINE)}
          </code>
        )}
      </h4>
      {cell === null ? (
        <p>{trans.__('No cell is active.')}</p>
      ) : isReadOnly ? (
        <p>
          {trans.__('This notebook cannot be written, so no tag can be set.')}
        </p>
      ) : !cell.isCode ? (
        <p>{trans.__('Only code cells have a part in the pipeline.')}</p>
      ) : cell.hasDirectives ? (
        <p>
          {trans.__(
            'Comments in this cell say what it is for; change them there.'
          )}
        </p>
      ) : (
        <CellForm
          {...props}
          key={`${cell.id} ${cell.tags.join()}`}
          cell={cell}
        />
      )}
    </section>
  );
}
