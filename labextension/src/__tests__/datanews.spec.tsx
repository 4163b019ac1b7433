/**
 * Data sets of which a run uses another version while a person compares two, and wide ones.
 */
import * as React from 'react';
import { expect, it, vi } from 'vitest';

import { DatasetList } from '../components/datasets';
import { compareOutlines } from '../datadiff';
import type { IDatasetVersion } from '../datawords';
import { fill, findChoice } from './acting';
import { act, mount, NOW, trans } from './fixtures';

const makeVersion = (
  fingerprint: string,
  changes: Partial<IDatasetVersion> = {}
): IDatasetVersion => ({
  ...{ fingerprint, is_kept: false, shape: [3, 1], size_bytes: 100 },
  ...{ columns: [['age', 'int64']], roles: ['X'], run_count: 1 },
  ...{ run_id: 'r', run_name: 'run', first_at: NOW, last_at: NOW },
  ...changes
});

it('stays with the version that was chosen when there is a newer one', () => {
  const draw = (...names: string[]) => (
    <DatasetList
      {...{ now: Date.parse(NOW), locale: 'en', trans }}
      datasets={[
        {
          ...{ name: 'X', kind: 'frame', version_count: names.length },
          versions: names.map(name => makeVersion(name))
        }
      ]}
      onProfile={() => new Promise(() => {})}
      onOpenRun={vi.fn()}
    />
  );
  const { node, update } = mount(draw('c', 'b', 'a'));
  act(() => node.querySelector('button')?.click());
  fill(findChoice(node, 'Version 3 against'), 'a');
  update(draw('d', 'c', 'b', 'a'));
  const choice = findChoice(node, 'Version 4 against');
  expect(choice.selectedOptions[0]?.textContent).toBe('version 1');
});

it('tells of no column that a list which is cut only does not name', () => {
  const name = (from: number) =>
    Array.from({ length: 200 }, (_, at) => [`c${from + at}`, 'float'] as const);
  const before = makeVersion('a', { shape: [3, 300], columns: name(0) });
  const after = makeVersion('b', {
    shape: [3, 301],
    columns: [['new', 'int'], ...name(0).slice(0, 199)]
  });
  expect(compareOutlines(before, after).map(({ kind }) => kind)).toEqual([
    'shape'
  ]);
  const retyped = makeVersion('c', {
    shape: [3, 300],
    columns: [['c0', 'int'], ...name(1).slice(0, 199)]
  });
  expect(compareOutlines(before, retyped)).toEqual([
    { kind: 'column', name: 'c0', before: 'float', after: 'int' }
  ]);
});
