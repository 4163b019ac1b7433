import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import {
  completeFilter,
  listColumns,
  quoteColumn,
  readColumn
} from '../components/columns';
import type { IFilterBoxProps } from '../components/filterbox';
import { FilterBox } from '../components/filterbox';
import { NameForm, TagForm } from '../components/forms';
import { ListBar } from '../components/listbar';
import { FIRST_QUERY } from '../model';
import { act, makeRun, mount, trans } from './fixtures';

const run = makeRun({
  metrics: { 'train/loss': 1, 'a b': 2 },
  params: { C: 0.5 },
  tags: { owner: 'Ada', 'mlops.error': 'x', 'params.changed': 'C' }
});

/** Type as a person does: React listens to the native setter's event. */
function type(field: HTMLInputElement, text: string): void {
  act(() => {
    const setter = Object.getOwnPropertyDescriptor(
      HTMLInputElement.prototype,
      'value'
    )?.set;
    setter?.call(field, text);
    field.setSelectionRange(text.length, text.length);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

function press(field: HTMLElement, key: string): void {
  act(() => {
    field.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  });
}

describe('columns', () => {
  it('are what runs have, without what we note for ourselves', () => {
    expect(listColumns([run, run])).toEqual([
      'metrics.train/loss',
      'metrics.a b',
      'params.C',
      'tags.owner'
    ]);
    expect(readColumn(run, 'metrics.a b')).toBe(2);
    expect(readColumn(run, 'params.constructor')).toBeUndefined();
    expect(readColumn(run, 'name')).toBeUndefined();
  });

  it.each([
    ['metrics.train/loss', 'metrics.train/loss'],
    ['metrics.a b', 'metrics.`a b`'],
    ['metrics.a ` b', 'metrics."a ` b"'],
    ['metrics.a ` " b', null]
  ])('writes %s as %s', (column, written) => {
    expect(quoteColumn(column)).toBe(written);
  });

  it.each([
    ['met', 0, ['metrics.train/loss', 'metrics.`a b`']],
    ['lo', 0, []],
    ['tr', 0, ['metrics.train/loss']],
    ["name = 'met", 11, []],
    ['params.C > 0 and own', 17, ['tags.owner']],
    ['0.9', 3, []],
    ['', 0, []]
  ])('completes %s', (text, from, options) => {
    const found = completeFilter(text, text.length, listColumns([run]));
    expect(found.options).toEqual(options);
    if (options.length > 0) {
      expect(found.from).toBe(from);
    }
  });
});

describe('FilterBox', () => {
  function mountBox(changes: Partial<IFilterBoxProps> = {}) {
    const onFilter = vi.fn();
    const props = {
      filter: '',
      problem: null,
      columns: listColumns([run]),
      trans,
      onFilter,
      ...changes
    };
    const { node } = mount(<FilterBox {...props} />);
    const field = node.querySelector('input');
    if (!field) {
      throw new Error('no field');
    }
    return { node, field, onFilter };
  }

  it('takes a name by the keyboard, then applies by Enter', () => {
    const { node, field, onFilter } = mountBox();
    type(field, 'own');
    expect(node.querySelectorAll('[role=option]')).toHaveLength(1);
    press(field, 'ArrowDown');
    expect(field.getAttribute('aria-activedescendant')).toBe(
      node.querySelector('[role=option]')?.id
    );
    press(field, 'Enter');
    expect(field.value).toBe('tags.owner ');
    expect(onFilter).not.toHaveBeenCalled();
    type(field, "tags.owner = 'Ada'");
    press(field, 'Enter');
    expect(onFilter).toHaveBeenCalledWith("tags.owner = 'Ada'");
  });

  it('leaves the keys of an input method to it', () => {
    const { field, onFilter } = mountBox();
    type(field, '\u6a21');
    act(() => {
      const init = { key: 'Enter', bubbles: true, isComposing: true };
      field.dispatchEvent(new KeyboardEvent('keydown', init));
    });
    expect(onFilter).not.toHaveBeenCalled();
    press(field, 'Enter');
    expect(onFilter).toHaveBeenCalledOnce();
  });

  it('closes its list by Escape, takes a name by a click, clears at once', () => {
    const { node, field, onFilter } = mountBox({ filter: 'x = 1' });
    type(field, 'met');
    press(field, 'Escape');
    expect(node.querySelector('[role=listbox]')).toBeNull();
    type(field, 'metr');
    act(() => node.querySelector<HTMLElement>('[role=option]')?.click());
    expect(field.value).toBe('metrics.train/loss ');
    type(field, '');
    expect(onFilter).toHaveBeenCalledWith('');
  });

  it('says what is wrong, bound to the field', () => {
    const problem = {
      kind: 'input',
      message: 'filter is <b>wrong</b>',
      hint: 'so'
    } as const;
    const { node, field } = mountBox({ problem });
    const alert = node.querySelector('[role=alert]');
    expect(alert?.textContent).toBe('filter is <b>wrong</b> so');
    expect(field.getAttribute('aria-describedby')).toBe(alert?.id);
  });
});

describe('ListBar', () => {
  it('offers orders by metrics, scopes and columns', () => {
    const onQuery = vi.fn();
    const onColumns = vi.fn();
    const { node } = mount(
      <ListBar
        query={FIRST_QUERY}
        hasNotebook
        filterProblem={null}
        runs={[run]}
        columns={['params.C']}
        trans={trans}
        onQuery={onQuery}
        onColumns={onColumns}
      />
    );
    const choose = (label: string, value: string) =>
      act(() => {
        const select = node.querySelector<HTMLSelectElement>(
          `select[aria-label="${label}"]`
        );
        if (select) {
          select.value = value;
          select.dispatchEvent(new Event('change', { bubbles: true }));
        }
      });
    choose('Order of runs', 'metrics.`a b` DESC');
    expect(onQuery).toHaveBeenCalledWith({ orderBy: 'metrics.`a b` DESC' });
    choose('Which runs', 'store');
    expect(onQuery).toHaveBeenCalledWith({ scope: 'store' });
    const boxes = [
      ...node.querySelectorAll<HTMLInputElement>('[type=checkbox]')
    ];
    const labelled = (text: string) =>
      boxes.find(box => box.parentElement?.textContent === text);
    act(() => labelled('tags.owner')?.click());
    expect(onColumns).toHaveBeenCalledWith(['params.C', 'tags.owner']);
    act(() => labelled('params.C')?.click());
    expect(onColumns).toHaveBeenCalledWith(null);
  });
});

describe('forms', () => {
  const submit = async (node: HTMLElement) => {
    await React.act(async () => {
      node
        .querySelector('form')
        ?.dispatchEvent(
          new Event('submit', { bubbles: true, cancelable: true })
        );
      await Promise.resolve();
    });
  };

  it('close where the change was made, and stay where it was refused', async () => {
    const onClose = vi.fn();
    const onSave = vi.fn(() => Promise.resolve(false));
    const { node } = mount(
      <NameForm name="old" trans={trans} onSave={onSave} onClose={onClose} />
    );
    const field = node.querySelector('input');
    expect(document.activeElement).toBe(field);
    type(field as HTMLInputElement, ' new ');
    await submit(node);
    expect(onSave).toHaveBeenCalledWith('new');
    expect(onClose).not.toHaveBeenCalled();
    onSave.mockResolvedValue(true);
    await submit(node);
    expect(onClose).toHaveBeenCalledOnce();
  });

  it('take a tag, and leave by Escape', async () => {
    const onClose = vi.fn();
    const onSave = vi.fn(() => Promise.resolve(true));
    const { node } = mount(
      <TagForm trans={trans} onSave={onSave} onClose={onClose} />
    );
    const [key, value] = node.querySelectorAll('input');
    type(key as HTMLInputElement, 'owner');
    type(value as HTMLInputElement, 'Ada');
    await submit(node);
    expect(onSave).toHaveBeenCalledWith('owner', 'Ada');
    const before = onClose.mock.calls.length;
    act(() => {
      const init = { key: 'Escape', bubbles: true, isComposing: true };
      key?.dispatchEvent(new KeyboardEvent('keydown', init));
    });
    expect(onClose).toHaveBeenCalledTimes(before);
    press(key as HTMLInputElement, 'Escape');
    expect(onClose).toHaveBeenCalledTimes(2);
  });
});
