import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { compareOutlines, pairColumns } from '../datadiff';
import type {
  IColumnProfile,
  IDatasetVersion,
  IEnvironmentUse,
  IUses
} from '../datawords';
import { RequestError } from '../request';
import { DataSection } from '../sections/data';
import { FakeApi, NOW } from './fixtures';

const makeVersion = (
  changes: Partial<IDatasetVersion> = {}
): IDatasetVersion => ({
  fingerprint: 'f1',
  is_kept: true,
  shape: [3, 2],
  columns: [
    ['age', 'int64'],
    ['name', 'str']
  ],
  size_bytes: 100,
  roles: ['X'],
  run_count: 1,
  run_id: 'r1',
  run_name: 'first',
  first_at: NOW,
  last_at: NOW,
  ...changes
});

const makeColumn = (changes: Partial<IColumnProfile>): IColumnProfile => ({
  name: 'age',
  type: 'int64',
  missing: 0,
  distinct: 3,
  mean: 2,
  least: 1,
  greatest: 3,
  ...changes
});

const makeUse = (name: string): IEnvironmentUse => ({
  digest: `d-${name}`,
  run_id: `r-${name}`,
  run_name: name,
  run_count: 1,
  last_at: NOW
});

const makeUses = (changes: Partial<IUses>): IUses => ({
  datasets: [],
  dataset_count: changes.datasets?.length ?? 0,
  environments: [],
  environment_count: changes.environments?.length ?? 0,
  run_count: 2,
  ...changes
});

describe('compareOutlines', () => {
  it('tells rows, size and columns that differ', () => {
    const before = makeVersion();
    const after = makeVersion({
      shape: [4, 2],
      size_bytes: 200,
      columns: [
        ['age', 'float64'],
        ['town', 'str']
      ]
    });
    expect(compareOutlines(before, before)).toEqual([]);
    expect(
      compareOutlines(before, after).map(
        ({ kind, name, before, after }) => `${kind} ${name} ${before} ${after}`
      )
    ).toEqual([
      'rows  3 4',
      'size  100 200',
      'column age int64 float64',
      'column name str null',
      'column town null str'
    ]);
    const wider = makeVersion({ shape: [3, 4, 5] });
    expect(compareOutlines(before, wider)[0]).toMatchObject({
      kind: 'shape',
      after: '3 × 4 × 5'
    });
  });
});

describe('pairColumns', () => {
  it('puts columns that differ first, and marks none of a version alone', () => {
    const same = makeColumn({ name: 'same' });
    const before = {
      rows: 3,
      column_count: 2,
      columns: [same, makeColumn({})]
    };
    const after = {
      ...before,
      columns: [same, makeColumn({ mean: 9 }), makeColumn({ name: 'new' })]
    };
    const told = pairColumns(before, after).map(
      ({ name, differs }) => `${name} ${differs}`
    );
    expect(told).toEqual(['age true', 'new true', 'same false']);
    expect(pairColumns(null, after).every(({ differs }) => !differs)).toBe(
      true
    );
  });
});

let api: FakeApi;
let section: DataSection;
const onOpenRun = vi.fn();
const view = {
  notebook: 'a.ipynb' as string | null,
  notebookChanged: new Signal<object, void>({})
};

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  api = new FakeApi();
  section = new DataSection({
    ...{ api, view, onOpenRun },
    translator: nullTranslator
  });
});

afterEach(() => section.dispose());

async function read(): Promise<string> {
  await new Promise(resolve => setTimeout(resolve, 20));
  MessageLoop.flush();
  await new Promise(resolve => setTimeout(resolve, 20));
  return section.node.textContent ?? '';
}

const press = (words: string) =>
  [...section.node.querySelectorAll('button')]
    .find(button => button.textContent?.includes(words))
    ?.click();

describe('DataSection', () => {
  it('says what is empty, broken and not there yet', async () => {
    Widget.attach(section, document.body);
    expect(await read()).toContain('This notebook has no runs yet');
    api.uses = makeUses({});
    await section.model.refresh();
    const text = await read();
    expect(text).toContain('No run has used data yet');
    expect(text).toContain('No run has recorded its environment yet');
    api.uses = makeUses({ environments: [makeUse('one')] });
    await section.model.refresh();
    expect(await read()).toContain('All of the last 2 runs');
    api.failure = new RequestError('forbidden');
    await section.model.refresh().catch(() => undefined);
    expect(await read()).toContain('refused the request');
  });

  it('compares versions of data, and what their columns hold', async () => {
    const newest = makeVersion({
      fingerprint: 'f2',
      shape: [4, 2],
      run_id: 'r2',
      run_name: '<b>second</b>'
    });
    const other = makeVersion({ is_kept: false, shape: [] });
    api.uses = makeUses({
      datasets: [
        {
          name: '<i>people</i>',
          kind: 'frame',
          version_count: 2,
          versions: [newest, makeVersion()]
        },
        { name: 'y', kind: 'series', version_count: 1, versions: [other] }
      ]
    });
    api.profile = {
      rows: 4,
      column_count: 300,
      columns: [makeColumn({ name: '<u>age</u>' })]
    };
    const ask = vi.spyOn(api, 'profileData');
    Widget.attach(section, document.body);
    expect(await read()).toContain('<i>people</i> 4 × 2 · 2 versions');
    press('people');
    expect(await read()).toContain('Rows34');
    expect(ask).not.toHaveBeenCalled();
    press('Show what the columns hold');
    const text = await read();
    expect(text).toContain('<u>age</u>03213');
    expect(text).toContain('The first 1 of 300 columns.');
    expect(ask.mock.calls).toHaveLength(2);
    press('second');
    expect(onOpenRun).toHaveBeenCalledWith('r2', 'a.ipynb');
    press('y');
    expect(await read()).toContain('%mlops snapshot NAME');
    expect(section.node.querySelector('b, i, u')).toBeNull();
  });

  it('compares the last environment with one that is chosen', async () => {
    const uses = ['last', 'earlier', 'first'].map(makeUse);
    api.uses = makeUses({ environments: uses });
    api.differences = {
      rows: [
        { group: 'packages', key: 'numpy', before: '1.0', after: null },
        { group: 'seeds', key: 'set.seed', before: null, after: '7' },
        { group: 'machine', key: 'cpu_count', before: 2, after: 4 },
        { group: 'strange', key: '', before: true, after: [1] }
      ],
      count: 4
    };
    const ask = vi.spyOn(api, 'diffEnvironments');
    Widget.attach(section, document.body);
    const text = await read();
    expect(text).toContain('4 differences');
    expect(text).toContain('Packagesnumpy1.0none');
    expect(text).toContain('Seedsset.seednone7');
    expect(text).toContain('strangestrangeTrue[1]');
    expect(ask).toHaveBeenLastCalledWith('a.ipynb', 'r-earlier', 'r-last');
    const select = section.node.querySelector('select');
    if (select) {
      select.value = 'd-first';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    }
    await read();
    expect(ask).toHaveBeenLastCalledWith('a.ipynb', 'r-first', 'r-last');
    api.differences = { rows: [], count: 0 };
    if (select) {
      select.value = 'd-earlier';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    }
    expect(await read()).toContain('Nothing that matters differs');
  });
});
