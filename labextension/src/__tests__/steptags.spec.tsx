import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import type { CellKind } from '../components/celltags';
import { isStepName, readRole, writeRole } from '../components/celltags';
import { TagForm } from '../components/tagform';
import { findParts } from '../steps';
import {
  EVIL_NAMES,
  fill,
  findButton,
  findChoice,
  findField,
  listLively,
  press,
  submit
} from './acting';
import { mount, trans } from './fixtures';

const NOTHING = { kind: 'none', step: '', after: [] } as const;

describe('tags that people wrote by hand', () => {
  it.each([
    [['step: load'], 'load'],
    [[' step:load '], 'load'],
    [['step : load'], 'load'],
    [['block:\tload'], 'load']
  ])('say the same with blanks: %j', (tags, step) => {
    expect(readRole(tags)).toEqual({ kind: 'step', step, after: [] });
    // The badges in the notebook read them alike.
    const [part] = findParts([{ isCode: true, tags, source: '' }]);
    expect(part?.step).toBe(step);
  });

  it('name several steps to wait for, with blanks and gaps', () => {
    expect(readRole(['step:c', 'after : a,  b ,', 'prev: d']).after).toEqual([
      ...['a', 'b', 'd']
    ]);
  });

  it.each([
    [' parameters', 'parameters'],
    ['skip ', 'skip'],
    ['functions', 'imports'],
    ['pipeline-parameters', 'parameters']
  ])('are plain words too: %j', (tag, kind) => {
    expect(readRole([tag]).kind).toBe(kind);
    expect(writeRole([tag, 'mine'], NOTHING)).toEqual(['mine']);
  });

  it.each(['steps:a', 'my step:a', 'step', 'skipped', 'x-skip'])(
    'are not ours where they only look like it: %j',
    tag => {
      expect(readRole([tag])).toEqual(NOTHING);
      expect(writeRole([tag], NOTHING)).toEqual([tag]);
    }
  );

  it('leave no second step behind where one is written', () => {
    const written = writeRole(['step : a', 'block:b', ' after: x'], {
      kind: 'step',
      step: 'c',
      after: ['y']
    });
    expect(written).toEqual(['step:c', 'after:y']);
  });

  it.each(['step', 'parameters', 'imports', 'skip', 'none'] as const)(
    'are read as they were written: %s',
    kind => {
      const role = { kind, step: kind === 'step' ? 'a-b_1' : '', after: [] };
      expect(readRole(writeRole(['mine'], role))).toEqual(role);
    }
  );
});

describe('isStepName', () => {
  it.each([
    ...EVIL_NAMES.filter(name => !/^[\w-]+$/.test(name)),
    '',
    '1a',
    'a b'
  ])('refuses %j', name => expect(isStepName(name)).toBe(false));

  it.each(['a', '_', 'load_data-2'])('takes %j', name =>
    expect(isStepName(name)).toBe(true)
  );
});

describe('TagForm', () => {
  const makeCell = (tags: readonly string[], id = 'c') => ({
    ...{ id, index: 1, tags, isCode: true, hasDirectives: false },
    firstLine: EVIL_NAMES[0] ?? ''
  });
  const onTag = vi.fn();
  const make = (tags: readonly string[], changes: object = {}) => (
    <TagForm
      {...{ steps: ['load'], isReadOnly: false, isBusy: false, trans, onTag }}
      cell={makeCell(tags)}
      {...changes}
    />
  );
  const isOff = (node: HTMLElement) =>
    findButton(node, 'Tag and save')?.disabled;

  it('offers nothing to save before anything is changed', () => {
    const { node } = mount(make(['step: train', 'mine']));
    expect(findField(node, 'Name of the step').value).toBe('train');
    expect(listLively(node)).toEqual([]);
    const { node: plain } = mount(make(['mine']));
    expect(isOff(plain)).toBe(true);
  });

  it('writes a step and what it waits for, and keeps what is not ours', async () => {
    onTag.mockClear();
    const { node } = mount(make(['mine', 'parameters']));
    fill(findChoice(node, 'What the cell is for'), 'step');
    expect(isOff(node)).toBe(true);
    fill(findField(node, 'Name of the step'), 'train');
    fill(findField(node, 'Also waits for'), 'load, 1st');
    expect(node.querySelector('[role=alert]')?.textContent).toContain('“1st”');
    expect(findField(node, 'Also waits for').ariaInvalid).toBe('true');
    expect(isOff(node)).toBe(true);
    fill(findField(node, 'Also waits for'), ' load ,');
    expect(isOff(node)).toBe(false);
    await submit(node);
    expect(onTag).toHaveBeenCalledWith([
      ...['mine', 'parameters', 'step:train', 'after:load']
    ]);
  });

  it.each([
    ['parameters', 'parameters'],
    ['imports', 'imports'],
    ['skip', 'skip']
  ] as readonly [CellKind, string][])(
    'makes a cell of another kind: %s',
    async (kind, tag) => {
      onTag.mockClear();
      const { node } = mount(make(['step:a', 'after:b', 'mine']));
      fill(findChoice(node, 'What the cell is for'), kind);
      await submit(node);
      expect(onTag).toHaveBeenCalledWith(['mine', tag]);
    }
  );

  it('gives another cell a form of its own', () => {
    const { node, update } = mount(make(['step:a']));
    fill(findField(node, 'Name of the step'), 'typed');
    // At the same place and with the same tags, as in another notebook.
    update(make([], { cell: makeCell(['step:a'], 'other') }));
    expect(findField(node, 'Name of the step').value).toBe('a');
  });

  it('keeps what is typed while the cell moves', () => {
    const { node, update } = mount(make(['step:a']));
    fill(findField(node, 'Name of the step'), 'typed');
    update(make([], { cell: { ...makeCell(['step:a']), index: 9 } }));
    expect(findField(node, 'Name of the step').value).toBe('typed');
    expect(node.textContent).toContain('Active cell 10');
  });

  it('waits while something is under way', () => {
    const { node } = mount(make(['step:a'], { isBusy: true }));
    fill(findField(node, 'Name of the step'), 'b');
    expect(isOff(node)).toBe(true);
    expect(() => press(node, 'Tag and save')).not.toThrow();
  });
});
