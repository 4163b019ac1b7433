import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import {
  completeFilter,
  listColumns,
  quoteColumn,
  readColumn,
  splitColumn,
  unquoteColumn
} from '../components/columns';
import { FilterBox } from '../components/filterbox';
import { fill, listLively, rest, strike } from './acting';
import { act, makeRun, mount, trans } from './fixtures';

const columns = [
  'metrics.loss',
  'metrics.train loss',
  'params.C',
  'params.Colour',
  'tags.owner'
];

/** What is offered where the caret is at the mark. */
const complete = (marked: string, names: readonly string[] = columns) =>
  completeFilter(marked.replace('|', ''), marked.indexOf('|'), names);

describe('completeFilter', () => {
  it.each([
    ['params.c|', ['params.C', 'params.Colour']],
    ['PARAMS.CO|', ['params.Colour']],
    ['name = 1 AND los|', ['metrics.loss']],
    ['los| > 0.5', ['metrics.loss']],
    ['(met|', ['metrics.loss', 'metrics.`train loss`']],
    ['NOT own|', ['tags.owner']],
    ['st|', ['status', 'started_at']],
    ["name = 'it' and ow|", ['tags.owner']],
    ["name = 'ow|", []],
    ["name = 'a' or name = 'ow|", []],
    ['loss > 0|', []],
    ['.5|', []],
    ['|met', []],
    ['met |', []],
    ['xyz|', []],
    // What is written whole already is not offered again.
    ['metrics.loss|', []]
  ])('offers for %s', (marked, options) => {
    expect(complete(marked).options).toEqual(options);
  });

  it('says which part of the text a name takes the place of', () => {
    expect(complete('a = 1 AND los| > 2').from).toBe(10);
    expect(complete('los|').from).toBe(0);
  });

  it('offers no more than can be looked through, the plain ones first', () => {
    const many = Array.from({ length: 500 }, (_, at) => `metrics.m${at}`);
    const { options } = complete('m|', [...many, 'params.m']);
    expect(options).toHaveLength(8);
    expect(options[0]).toBe('metrics.m0');
  });

  it('stays quick where a page has very many and very long names', () => {
    const names = Array.from(
      { length: 20_000 },
      (_, at) => `params.${'x'.repeat(100)}${at}`
    );
    const { options } = complete(`x = 1 AND ${'x'.repeat(100)}19999|`, names);
    expect(options).toEqual([names[19_999]]);
  });
});

describe('names of columns', () => {
  it.each([
    'metrics.loss',
    'metrics.train/loss',
    'metrics.a.b.c',
    'params.model: alpha',
    'tags.it`s',
    'tags.<b>',
    'params.שלום',
    'params.',
    'params."quoted"',
    'params.a\nb'
  ])('come back from a filter as they were: %j', column => {
    const quoted = quoteColumn(column);
    expect(quoted).not.toBeNull();
    expect(unquoteColumn(quoted ?? '')).toBe(column);
  });

  it('are not written where neither quote can hold them', () => {
    expect(quoteColumn('params.`"')).toBeNull();
    expect(complete('params.|', ['params.`"', 'params.x']).options).toEqual([
      'params.x'
    ]);
  });

  it('are divided at their first dot alone', () => {
    expect(splitColumn('metrics.train.loss')).toEqual([
      'metrics',
      'train.loss'
    ]);
  });

  it('never reach what no run has logged', () => {
    const run = makeRun({ params: { a: null }, metrics: {} });
    for (const name of ['params.toString', 'params.__proto__', 'x.a', 'a']) {
      expect(readColumn(run, name), name).toBeUndefined();
    }
    expect(readColumn(run, 'params.a')).toBeNull();
  });

  it('are each listed once, and ours never', () => {
    const tags = { 'mlops.error': 'x', 'params.changed': 'C', own: 1 };
    const one = makeRun({ metrics: { a: 1 }, params: { a: 1 }, tags });
    expect(listColumns([one, one])).toEqual([
      'metrics.a',
      'params.a',
      'tags.own'
    ]);
    expect(listColumns([])).toEqual([]);
  });
});

describe('FilterBox', () => {
  function mountBox(filter = '', names = columns) {
    const onFilter = vi.fn();
    const make = (text: string) => (
      <FilterBox
        filter={text}
        problem={null}
        columns={names}
        trans={trans}
        onFilter={onFilter}
      />
    );
    const { node, update } = mount(make(filter));
    const field = node.querySelector('input') as HTMLInputElement;
    const list = () =>
      [...node.querySelectorAll('[role=option]')].map(each => each.textContent);
    const chosen = () =>
      node.querySelector('[aria-selected=true]')?.textContent ?? null;
    return {
      ...{ node, field, onFilter, list, chosen },
      show: (text: string) => update(make(text))
    };
  }

  it('goes round its list by arrows, and takes by Tab what is chosen', () => {
    const { field, list, chosen, onFilter } = mountBox();
    fill(field, 'params.');
    expect(list()).toEqual(['params.C', 'params.Colour']);
    expect(chosen()).toBeNull();
    // Tab leaves a box in which nothing is chosen, as it leaves every other.
    expect(strike(field, 'Tab')).toBe(false);
    expect(strike(field, 'ArrowDown')).toBe(true);
    expect(chosen()).toBe('params.C');
    strike(field, 'ArrowDown');
    strike(field, 'ArrowDown');
    expect(chosen()).toBe('params.C');
    strike(field, 'ArrowUp');
    expect(chosen()).toBe('params.Colour');
    expect(strike(field, 'Tab')).toBe(true);
    expect(field.value).toBe('params.Colour ');
    expect(list()).toEqual([]);
    expect(onFilter).not.toHaveBeenCalled();
  });

  it('leaves keys to others where it offers nothing', () => {
    const { field } = mountBox();
    expect(strike(field, 'ArrowDown')).toBe(false);
    expect(strike(field, 'Escape')).toBe(false);
    expect(strike(field, 'a')).toBe(false);
  });

  it('keeps what stands behind the name that is taken', () => {
    const { field, node, list } = mountBox();
    fill(field, 'loss > 1');
    expect(list()).toEqual([]); // the caret is at the end, behind a number
    vi.spyOn(field, 'selectionStart', 'get').mockReturnValue(2);
    fill(field, 'lo > 1');
    expect(list()).toEqual(['metrics.loss']);
    act(() => node.querySelector<HTMLElement>('[role=option]')?.click());
    expect(field.value).toBe('metrics.loss > 1');
  });

  it('asks when it is left, and only for another filter than before', () => {
    const { field, onFilter } = mountBox('loss > 1');
    const leave = () =>
      act(() => {
        field.dispatchEvent(new FocusEvent('focusout', { bubbles: true }));
      });
    leave();
    strike(field, 'Enter');
    fill(field, '  loss > 1 ');
    strike(field, 'Enter');
    expect(onFilter).not.toHaveBeenCalled();
    fill(field, 'loss > 2');
    leave();
    expect(onFilter.mock.calls).toEqual([['loss > 2']]);
  });

  it('forgets what was typed with the notebook', async () => {
    const { field, show } = mountBox('loss > 1');
    fill(field, 'loss > 12');
    show('');
    await rest();
    expect(field.value).toBe('');
  });

  it('shows names as text, whatever they are', () => {
    const evil = 'params.<img src=x onerror=alert(1)>';
    const { node, field, list } = mountBox('', [evil]);
    fill(field, 'params');
    expect(list()).toEqual(['params.`<img src=x onerror=alert(1)>`']);
    expect(listLively(node)).toEqual([]);
  });

  it('tells readers of its list, and that it is closed', () => {
    const { field, node } = mountBox();
    expect(field.getAttribute('aria-expanded')).toBe('false');
    expect(field.hasAttribute('aria-controls')).toBe(false);
    fill(field, 'tags');
    expect(field.getAttribute('aria-expanded')).toBe('true');
    const list = field.getAttribute('aria-controls') ?? '';
    expect(node.querySelector('[role=listbox]')?.id).toBe(list);
    // A press on the list must not take the focus from the box.
    const option = node.querySelector('[role=option]');
    const down = new MouseEvent('mousedown', {
      bubbles: true,
      cancelable: true
    });
    act(() => {
      option?.dispatchEvent(down);
    });
    expect(down.defaultPrevented).toBe(true);
  });
});
