import * as React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { PromoteForm, RollbackForm } from '../components/promote';
import { RegisterForm } from '../components/registerform';
import type { IRunActions } from '../components/run';
import { RunList } from '../components/runlist';
import { RequestError } from '../request';
import type { IRegisterState } from '../runagain';
import type { IRun } from '../tokens';
import {
  EVIL_NAMES,
  fill,
  findButton,
  findField,
  Held,
  press,
  rest,
  strike,
  submit
} from './acting';
import {
  act,
  makeActions,
  makePage,
  makeRun,
  makeVersion,
  mount,
  NOW,
  trans
} from './fixtures';

/** Press as a keyboard does: from the button that has the focus. */
function pressFocused(node: ParentNode, name: string): void {
  act(() => findButton(node, name)?.focus());
  press(node, name);
}

const focused = () => {
  const { activeElement, body } = document;
  return activeElement === body
    ? null
    : (activeElement?.ariaLabel ?? activeElement?.textContent);
};

describe('a run opened by the keyboard', () => {
  let actions: IRunActions;

  beforeEach(() => {
    actions = makeActions();
  });

  const make = (runs: readonly IRun[]) => (
    <RunList
      {...{ actions, trans, columns: null, isByTime: true, groupBy: null }}
      page={makePage(runs)}
      selected={new Map()}
      now={Date.parse(NOW)}
      locale="en"
      onChoose={() => {}}
      onTurnTo={() => {}}
    />
  );

  function open(run: IRun = makeRun()): HTMLElement {
    const { node } = mount(make([run]));
    act(() => node.querySelector<HTMLElement>('.jp-MLOpsRun-summary')?.click());
    return node;
  }

  it.each([
    ['Rename', 'Name of the run'],
    ['Tag', 'Name of the tag']
  ])('goes into a form and comes back: %s', async (name, label) => {
    const node = open();
    pressFocused(node, name);
    expect(focused()).toBe(label);
    expect(strike(findField(node, label), 'Escape')).toBe(true);
    expect(node.querySelector('form')).toBeNull();
    expect(focused()).toBe(name);
    pressFocused(node, name);
    pressFocused(node, 'Cancel');
    expect(focused()).toBe(name);
    pressFocused(node, name);
    fill(findField(node, label), 'new');
    await submit(node);
    expect(node.querySelector('form')).toBeNull();
    expect(focused()).toBe(name);
  });

  it('takes no focus that a person has put elsewhere', () => {
    const node = open();
    pressFocused(node, 'Rename');
    const elsewhere = document.body.appendChild(
      document.createElement('button')
    );
    elsewhere.focus();
    press(node, 'Cancel');
    expect(document.activeElement).toBe(elsewhere);
    elsewhere.remove();
  });

  it('changes one form for another', () => {
    const node = open();
    pressFocused(node, 'Rename');
    pressFocused(node, 'Tag');
    expect(node.querySelectorAll('form')).toHaveLength(1);
    expect(focused()).toBe('Name of the tag');
  });

  it('keeps the form and what was typed where it was refused', async () => {
    vi.mocked(actions.onTag).mockResolvedValue(false);
    const node = open();
    press(node, 'Tag');
    fill(findField(node, 'Name of the tag'), ' owner ');
    fill(findField(node, 'Value of the tag'), ' Ada ');
    await submit(node);
    // A name has no blanks around it, a value may have.
    expect(vi.mocked(actions.onTag).mock.lastCall?.slice(1)).toEqual([
      ...['owner', ' Ada ']
    ]);
    expect(findField(node, 'Value of the tag').value).toBe(' Ada ');
  });

  describe('that is deleted or pinned', () => {
    const runs = ['1', '2', '3'].map(run_id =>
      makeRun({ run_id, name: `run ${run_id}` })
    );
    const openAt = (place: number) => {
      const { node, update } = mount(make(runs));
      const row = node.querySelectorAll('.jp-MLOpsRun')[place] as HTMLElement;
      act(() =>
        row.querySelector<HTMLElement>('.jp-MLOpsRun-summary')?.click()
      );
      return { row, show: (next: readonly IRun[]) => update(make(next)) };
    };
    const focusedRun = () =>
      document.activeElement?.querySelector('.jp-MLOpsRun-name')?.textContent ??
      null;

    it.each([
      [0, 'run 2'],
      [1, 'run 3'],
      [2, 'run 2']
    ])('leaves the focus to its neighbour: %i', (place, name) => {
      const { row, show } = openAt(place);
      pressFocused(row, 'Delete');
      show(runs); // asked for before it was done
      expect(focused()).toBe('Delete');
      show(runs.filter((_, at) => at !== place));
      expect(focusedRun()).toBe(name);
    });

    it('leaves it alone where no run is left', () => {
      const { row, show } = openAt(0);
      pressFocused(row, 'Delete');
      show([]);
      expect(focused()).toBeNull();
    });

    it('calls nobody back who has gone on', () => {
      const { row, show } = openAt(0);
      pressFocused(row, 'Pin');
      const other = document.body.appendChild(document.createElement('input'));
      other.focus();
      show([...runs]); // the pin was refused: the run stands where it stood
      other.remove();
      expect(focused()).toBeNull();
      show([...runs]);
      expect(focused()).toBeNull();
    });
  });

  it('deletes no run that still runs', () => {
    const node = open(makeRun({ status: 'running' }));
    expect(findButton(node, 'Delete')?.disabled).toBe(true);
  });

  it('says nothing of keys that are not for lists', () => {
    const node = open();
    const row = node.querySelector('.jp-MLOpsRun-summary') as HTMLElement;
    expect(strike(row, 'a')).toBe(false);
    expect(strike(row, 'ArrowDown')).toBe(true);
    // Within a field arrows move the caret.
    press(node, 'Rename');
    expect(strike(findField(node, 'Name of the run'), 'ArrowDown')).toBe(false);
  });
});

describe('RegisterForm', () => {
  function open() {
    const held = new Held<IRegisterState>();
    const registered = new Held<IRegisterState>();
    function Toggle(): React.JSX.Element {
      const [isOpen, setIsOpen] = React.useState(false);
      return (
        <>
          <button onClick={() => setIsOpen(true)}>Register…</button>
          {isOpen && (
            <RegisterForm
              trans={trans}
              onAsk={held.ask}
              onRegister={registered.ask}
              onClose={() => setIsOpen(false)}
            />
          )}
        </>
      );
    }
    const { node } = mount(<Toggle />);
    pressFocused(node, 'Register…');
    return { node, held, registered };
  }

  it('comes back to the button by Escape', async () => {
    const { node, held } = open();
    held.open[0]?.resolve({ versions: [], way: 'kernel' });
    await rest();
    const field = findField(node, 'Name of the model');
    act(() => field.focus());
    strike(field, 'Escape');
    expect(node.querySelector('form')).toBeNull();
    expect(focused()).toBe('Register…');
  });

  it('asks once while it registers, and needs a name', async () => {
    const { node, held, registered } = open();
    held.open[0]?.resolve({ versions: [], way: 'stored' });
    await rest();
    const isOff = () => findButton(node, 'Register')?.disabled;
    expect(isOff()).toBe(true);
    fill(findField(node, 'Name of the model'), '  ');
    expect(isOff()).toBe(true);
    fill(findField(node, 'Name of the model'), ' iris ');
    fill(findField(node, 'Alias'), ' champion ');
    fill(findField(node, 'Reason'), ' better ');
    await submit(node);
    expect(isOff()).toBe(true);
    expect(registered.asked).toEqual([
      [{ name: 'iris', alias: 'champion', reason: 'better' }]
    ]);
    const versions = [makeVersion({ aliases: ['champion', 'x'] })];
    registered.open[0]?.resolve({ versions, way: 'stored' });
    await rest();
    expect(node.textContent).toContain('Registered as iris/1 (champion, x).');
    expect(isOff()).toBe(false);
  });

  it.each([
    [new RequestError('server', 'taken', 'Choose another.'), 'taken Choose'],
    [new RequestError('forbidden'), 'Nobody says why.']
  ])('says why nothing was registered: %s', async (failure, words) => {
    const { node, held, registered } = open();
    held.open[0]?.resolve({ versions: [], way: 'kernel' });
    await rest();
    fill(findField(node, 'Name of the model'), 'iris');
    await submit(node);
    registered.open[0]?.reject(failure);
    await rest();
    expect(node.querySelector('[role=alert]')?.textContent).toContain(words);
    expect(findField(node, 'Name of the model').value).toBe('iris');
  });
});

describe('RollbackForm', () => {
  const open = (onPromote = vi.fn(() => Promise.resolve())) => {
    const { node } = mount(
      <RollbackForm {...{ alias: 'champion', version: 2, trans, onPromote }} />
    );
    return { node, onPromote };
  };

  it('asks for a reason, and comes back to its button', () => {
    const { node } = open();
    expect(document.activeElement).toBe(document.body);
    pressFocused(node, 'Roll back to version 2');
    expect(focused()).toBe('Reason');
    strike(findField(node, 'Reason'), 'Escape');
    expect(focused()).toBe('Roll back to version 2');
    pressFocused(node, 'Roll back to version 2');
    pressFocused(node, 'Cancel');
    expect(focused()).toBe('Roll back to version 2');
  });

  it('says what was done, or why not', async () => {
    const { node, onPromote } = open();
    press(node, 'Roll back to version 2');
    fill(findField(node, 'Reason'), ' worse on rain ');
    onPromote.mockRejectedValueOnce(
      new RequestError('server', 'gate', 'Wait.')
    );
    await submit(node);
    expect(node.querySelector('[role=alert]')?.textContent).toBe(
      'Not changed. gate Wait.'
    );
    await submit(node);
    expect(onPromote).toHaveBeenLastCalledWith({
      ...{ alias: 'champion', version: 2, reason: 'worse on rain' }
    });
    expect(node.querySelector('[role=alert]')).toBeNull();
    expect(node.querySelector('[role=status]')?.textContent).toBe(
      'champion now names version 2.'
    );
  });
});

describe('PromoteForm', () => {
  const draw = (aliases: Readonly<Record<string, number>>) =>
    mount(
      <PromoteForm
        {...{ version: 3, aliases, trans, onPromote: () => Promise.resolve() }}
      />
    ).node;

  it.each(['constructor', 'toString', '__proto__', ...EVIL_NAMES])(
    'knows no alias that nobody gave: %j',
    alias => {
      const node = draw({ champion: 3 });
      expect(node.textContent).toContain('This version has the alias already.');
      fill(findField(node, 'Alias'), alias);
      expect(node.textContent).toContain('No version has this alias yet.');
      expect(findButton(node, 'Promote')?.disabled).toBe(false);
    }
  );

  it('says which version an alias names, and offers those there are', () => {
    const node = draw({ champion: 1, 'next-one': 2 });
    expect(node.textContent).toContain('The alias names version 1 now.');
    const offered = [...node.querySelectorAll('datalist option')];
    expect(offered.map(each => each.getAttribute('value'))).toEqual([
      ...['champion', 'next-one']
    ]);
    fill(findField(node, 'Alias'), '   ');
    expect(findButton(node, 'Promote')?.disabled).toBe(true);
  });
});
