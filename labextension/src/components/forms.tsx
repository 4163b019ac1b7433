/**
 * Small forms in place: Enter saves, Escape leaves, and the form stays where it was refused.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

interface IFormProps {
  readonly label: string;
  readonly trans: TranslationBundle;
  readonly onSave: () => Promise<boolean>;
  readonly onClose: () => void;
  readonly children: React.ReactNode;
}

function Form(props: IFormProps): React.JSX.Element {
  const { trans, onSave, onClose } = props;
  return (
    <form
      className="jp-MLOpsForm"
      aria-label={props.label}
      onSubmit={event => {
        event.preventDefault();
        void onSave().then(isDone => {
          if (isDone) {
            onClose();
          }
        });
      }}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.nativeEvent.isComposing) {
          event.preventDefault();
          onClose();
        }
      }}
    >
      {props.children}
      <button type="submit" className="jp-MLOpsButton jp-mod-styled">
        {trans.__('Save')}
      </button>
      <button
        type="button"
        className="jp-MLOpsButton jp-mod-styled"
        onClick={onClose}
      >
        {trans.__('Cancel')}
      </button>
    </form>
  );
}

/** Give the focus back where a form was asked for: else a keyboard begins at the top of the page. */
export function useReturn(): void {
  React.useEffect(() => {
    const before = document.activeElement;
    return () => {
      if (
        document.activeElement === document.body &&
        before instanceof HTMLElement
      ) {
        before.focus();
      }
    };
  }, []);
}

/** The first field of a form that was asked for has the focus. */
function useFocus(): React.RefObject<HTMLInputElement> {
  const field = React.useRef<HTMLInputElement>(null);
  useReturn();
  React.useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  return field;
}

export interface INameFormProps {
  readonly name: string;
  readonly trans: TranslationBundle;
  readonly onSave: (name: string) => Promise<boolean>;
  readonly onClose: () => void;
}

export function NameForm(props: INameFormProps): React.JSX.Element {
  const { trans } = props;
  const [name, setName] = React.useState(props.name);
  const field = useFocus();
  return (
    <Form
      label={trans.__('Rename')}
      trans={trans}
      onSave={() => props.onSave(name.trim())}
      onClose={props.onClose}
    >
      <input
        ref={field}
        className="jp-MLOpsInput jp-mod-styled"
        aria-label={trans.__('Name of the run')}
        value={name}
        required
        maxLength={250}
        onChange={event => setName(event.target.value)}
      />
    </Form>
  );
}

export interface ITagFormProps {
  readonly trans: TranslationBundle;
  readonly onSave: (key: string, value: string) => Promise<boolean>;
  readonly onClose: () => void;
}

export function TagForm(props: ITagFormProps): React.JSX.Element {
  const { trans } = props;
  const [key, setKey] = React.useState('');
  const [value, setValue] = React.useState('');
  const field = useFocus();
  return (
    <Form
      label={trans.__('Tag')}
      trans={trans}
      onSave={() => props.onSave(key.trim(), value)}
      onClose={props.onClose}
    >
      <input
        ref={field}
        className="jp-MLOpsInput jp-mod-styled"
        aria-label={trans.__('Name of the tag')}
        placeholder={trans.__('Name')}
        value={key}
        required
        maxLength={250}
        onChange={event => setKey(event.target.value)}
      />
      <input
        className="jp-MLOpsInput jp-mod-styled"
        aria-label={trans.__('Value of the tag')}
        placeholder={trans.__('Value')}
        value={value}
        onChange={event => setValue(event.target.value)}
      />
    </Form>
  );
}
