/**
 * Where a filter is typed, in the language of `search_runs`, with the names that runs have.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IProblem } from '../tokens';
import type { ICompletion } from './columns';
import { completeFilter } from './columns';

export interface IFilterBoxProps {
  readonly filter: string;
  readonly problem: IProblem | null;
  /** What runs have, such as `metrics.acc`. */
  readonly columns: readonly string[];
  readonly trans: TranslationBundle;
  readonly onFilter: (filter: string) => void;
}

const NOTHING: ICompletion = { from: 0, options: [] };

interface IOptionsProps {
  readonly id: string;
  readonly options: readonly string[];
  readonly chosen: number;
  readonly trans: TranslationBundle;
  readonly onTake: (option: string) => void;
}

/** The names that fit, below the box. */
function Options(props: IOptionsProps): React.JSX.Element {
  return (
    <ul
      className="jp-MLOpsFilter-options"
      role="listbox"
      id={props.id}
      aria-label={props.trans.__('Names')}
    >
      {props.options.map((option, place) => (
        <li
          key={option}
          id={`${props.id}-${place}`}
          role="option"
          aria-selected={place === props.chosen}
          // The box must not lose the focus before the click arrives.
          onMouseDown={event => event.preventDefault()}
          onClick={() => props.onTake(option)}
        >
          {option}
        </li>
      ))}
    </ul>
  );
}

/** What is typed, what completes it, and what the keys do. */
function useFilter(props: IFilterBoxProps) {
  const { filter, columns, onFilter } = props;
  const [text, setText] = React.useState(filter);
  const [completion, setCompletion] = React.useState(NOTHING);
  const [chosen, setChosen] = React.useState(-1);
  React.useEffect(() => {
    setText(filter); // another notebook came into view
  }, [filter]);
  const close = () => {
    setCompletion(NOTHING);
    setChosen(-1);
  };
  const apply = (next: string) => {
    close();
    if (next.trim() !== filter) {
      onFilter(next.trim());
    }
  };
  const type = (next: string, caret: number) => {
    setText(next);
    setCompletion(completeFilter(next, caret, columns));
    setChosen(-1);
    if (!next) {
      apply('');
    }
  };
  const take = (option: string) => {
    const rest = text.slice(completion.from).replace(/^[\w.`/:@-]+\s?/, '');
    setText(`${text.slice(0, completion.from)}${option} ${rest}`);
    close();
  };
  const press = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) {
      return; // the key is an input method's, as where Enter chooses a word
    }
    const { options } = completion;
    const option = options[chosen];
    if (event.key === 'Enter' || (event.key === 'Tab' && option)) {
      event.preventDefault();
      if (option) {
        take(option);
      } else {
        apply(text);
      }
    } else if (event.key === 'Escape' && options.length > 0) {
      event.preventDefault();
      close();
    } else if (options.length > 0 && /^Arrow(Up|Down)$/.test(event.key)) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setChosen((chosen + step + options.length) % options.length);
    }
  };
  return {
    text,
    options: completion.options,
    chosen,
    apply,
    type,
    take,
    press
  };
}

export function FilterBox(props: IFilterBoxProps): React.JSX.Element {
  const { problem, trans } = props;
  const id = React.useId();
  const { text, options, chosen, ...on } = useFilter(props);
  const isOpen = options.length > 0;
  return (
    <div className="jp-MLOpsFilter">
      <input
        type="search"
        className="jp-MLOpsInput jp-mod-styled"
        role="combobox"
        aria-label={trans.__('Filter runs')}
        aria-autocomplete="list"
        aria-expanded={isOpen}
        aria-controls={isOpen ? `${id}-options` : undefined}
        aria-activedescendant={
          chosen < 0 ? undefined : `${id}-options-${chosen}`
        }
        aria-invalid={problem !== null}
        aria-describedby={problem ? `${id}-problem` : undefined}
        placeholder={trans.__('Filter, as metrics.acc > 0.9')}
        spellCheck={false}
        value={text}
        onChange={event =>
          on.type(
            event.target.value,
            event.target.selectionStart ?? event.target.value.length
          )
        }
        onKeyDown={on.press}
        onBlur={() => on.apply(text)}
      />
      {isOpen && (
        <Options
          id={`${id}-options`}
          options={options}
          chosen={chosen}
          trans={trans}
          onTake={on.take}
        />
      )}
      {problem && (
        <p className="jp-MLOpsFilter-problem" id={`${id}-problem`} role="alert">
          {problem.message} {problem.hint}
        </p>
      )}
    </div>
  );
}
