import * as React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { DatasetList } from '../components/datasets';
import { Environments } from '../components/environments';
import { OutlineTable } from '../components/outline';
import { ProfileTable } from '../components/profile';
import type {
  IColumnProfile,
  IDatasetProfile,
  IDatasetSummary,
  IDatasetVersion,
  IDifference,
  IDifferences,
  IEnvironmentUse
} from '../datawords';
import { RequestError } from '../request';
import {
  EVIL_NAMES,
  fill,
  findButton,
  findChoice,
  Held,
  listLively,
  press,
  rest
} from './acting';
import { mount, NOW, trans } from './fixtures';

const now = Date.parse(NOW) + 3_600_000;
const shared = { now, locale: 'en', trans };

const makeVersion = (
  fingerprint: string,
  changes: Partial<IDatasetVersion> = {}
): IDatasetVersion => ({
  ...{ fingerprint, is_kept: true, shape: [3, 2], size_bytes: 100 },
  ...{ columns: [['age', 'int64']], roles: ['X'], run_count: 1 },
  ...{ run_id: `run-${fingerprint}`, run_name: `run of ${fingerprint}` },
  ...{ first_at: NOW, last_at: NOW },
  ...changes
});

const makeDataset = (
  name: string,
  versions: readonly IDatasetVersion[]
): IDatasetSummary => ({
  ...{ name, kind: 'frame', version_count: versions.length, versions }
});

const makeColumn = (
  name: string,
  changes: Partial<IColumnProfile> = {}
): IColumnProfile => ({
  ...{ name, type: 'int64', missing: 0, distinct: 3 },
  ...{ mean: 2, least: 1, greatest: 3 },
  ...changes
});

const makeProfile = (
  columns: readonly IColumnProfile[],
  column_count = columns.length
): IDatasetProfile => ({ rows: 3, column_count, columns });

let profiles: Held<IDatasetProfile>;
let diffs: Held<IDifferences>;
const onOpenRun = vi.fn();

beforeEach(() => {
  profiles = new Held();
  diffs = new Held();
  vi.clearAllMocks();
});

const drawData = (datasets: readonly IDatasetSummary[]) =>
  mount(
    <DatasetList
      {...{ ...shared, datasets, onOpenRun, onProfile: profiles.ask }}
    />
  ).node;

const rowsOf = (node: ParentNode) =>
  [...node.querySelectorAll('tbody tr')].map(each => each.textContent);

describe('DatasetList', () => {
  it('says what would be there where nothing is', () => {
    expect(drawData([]).textContent).toContain('No run has used data yet');
  });

  it('opens a data set by a button that says whether it is open', () => {
    const node = drawData([makeDataset('X', [makeVersion('one')])]);
    const button = node.querySelector('button') as HTMLButtonElement;
    expect(button.ariaExpanded).toBe('false');
    expect(button.textContent).toBe('X 3 × 2 · 1 version');
    React.act(() => button.click());
    expect(button.ariaExpanded).toBe('true');
    const id = button.getAttribute('aria-controls') ?? '';
    expect(document.getElementById(id)?.textContent).toContain('Version 1');
    // One version has nothing to be compared with.
    expect(node.querySelector('select')).toBeNull();
    press(node, 'run of one');
    expect(onOpenRun).toHaveBeenCalledWith('run-one');
  });

  it('compares the last version with any that a person chooses', () => {
    const node = drawData([
      makeDataset('X', [
        makeVersion('sampled-abcdefghijk', { shape: [5, 2], run_count: 7 }),
        makeVersion('two', { shape: [4, 2] }),
        makeVersion('one', { shape: [3, 2], is_kept: false })
      ])
    ]);
    React.act(() => node.querySelector('button')?.click());
    expect(rowsOf(node)).toEqual(['Rows45']);
    fill(findChoice(node, 'Version 3 against'), 'one');
    expect(rowsOf(node)).toEqual(['Rows35']);
    expect(node.querySelector('code')?.textContent).toBe('abcdefgh');
    expect(node.textContent).toContain('7 runs, last run of sampled');
    expect(node.querySelectorAll('ol li')[2]?.textContent).not.toContain(
      'bytes kept'
    );
  });

  it('lists hundreds in two steps', () => {
    const many = Array.from({ length: 300 }, (_, at) =>
      makeDataset(`d${at}`, [makeVersion('v')])
    );
    const node = drawData(many);
    const count = () => node.querySelectorAll('.jp-MLOpsData').length;
    expect(count()).toBe(20);
    press(node, 'Show all 300');
    expect(count()).toBe(300);
    expect(findButton(node, 'Show all 300')).toBeUndefined();
  });

  it('shows names as text, and a data set without a version too', () => {
    const node = drawData([
      makeDataset('none', []),
      ...EVIL_NAMES.map(name =>
        makeDataset(name, [makeVersion(name, { run_name: name })])
      )
    ]);
    node
      .querySelectorAll('button')
      .forEach(button => React.act(() => button.click()));
    expect(listLively(node)).toEqual([]);
    const names = [...node.querySelectorAll('.jp-MLOpsRun-name')];
    expect(names.map(each => each.textContent)).toEqual([
      ...['none', ...EVIL_NAMES]
    ]);
  });
});

describe('OutlineTable', () => {
  const draw = (before: IDatasetVersion, after: IDatasetVersion) =>
    mount(<OutlineTable {...{ before, after, locale: 'en', trans }} />).node;

  it('says that only values differ where nothing else does', () => {
    const one = makeVersion('one');
    expect(draw(one, one).textContent).toContain('values in them differ');
  });

  it('names what differs, sizes and numbers as people read them', () => {
    const before = makeVersion('one', {
      columns: [
        ['age', 'int64'],
        [EVIL_NAMES[0] ?? '', 'str']
      ]
    });
    const after = makeVersion('two', {
      shape: [12_345, 2],
      size_bytes: 2_000_000,
      columns: [
        ['age', 'float64'],
        ['town', 'str']
      ]
    });
    const node = draw(before, after);
    expect(rowsOf(node)).toEqual([
      'Rows312,345',
      'Size100 bytes2 MB',
      'ageint64float64',
      `${EVIL_NAMES[0]}str–`,
      'town–str'
    ]);
    const other = draw(before, makeVersion('three', { shape: [3, 4, 5] }));
    expect(rowsOf(other)[0]).toBe('Shape3 × 23 × 4 × 5');
    expect(listLively(node)).toEqual([]);
  });
});

describe('ProfileTable', () => {
  const draw = (before: IDatasetVersion | null, after: IDatasetVersion) =>
    mount(
      <ProfileTable
        {...{ before, after, locale: 'en', trans, onProfile: profiles.ask }}
      />
    ).node;

  it('tells how to keep what is not kept, and asks nothing', () => {
    const node = draw(null, makeVersion('x', { is_kept: false }));
    expect(node.querySelector('code')?.textContent).toContain(
      '%mlops snapshot'
    );
    expect(node.querySelector('button')).toBeNull();
    expect(profiles.asked).toEqual([]);
  });

  it('asks for both sides once it is asked, and marks what differs', async () => {
    const [one, two] = [makeVersion('one'), makeVersion('two')];
    const node = draw(one, two);
    expect(profiles.asked).toEqual([]);
    press(node, 'Show what the columns hold');
    profiles.open[0]?.resolve(makeProfile([makeColumn('a'), makeColumn('b')]));
    await rest();
    profiles.open[1]?.resolve(
      makeProfile([makeColumn('a'), makeColumn('b', { mean: 'NaN' })], 90)
    );
    await rest();
    expect(profiles.asked).toEqual([[one], [two]]);
    expect(rowsOf(node)).toEqual(['b032 → NaN13', 'a03213']);
    expect(node.textContent).toContain('The first 2 of 90 columns.');
    // Wide tables scroll, by the keyboard too.
    const scroll = node.querySelector<HTMLElement>('.jp-MLOpsProfile');
    expect([scroll?.tabIndex, scroll?.getAttribute('role')]).toEqual([
      ...[0, 'group']
    ]);
  });

  it('shows one side alone where the other is not kept', async () => {
    const node = draw(
      makeVersion('one', { is_kept: false }),
      makeVersion('two')
    );
    press(node, 'Show what the columns hold');
    const none = { mean: null, least: null, greatest: null };
    profiles.open[0]?.resolve(makeProfile([makeColumn('words', none)]));
    await rest();
    expect(rowsOf(node)).toEqual(['words03–––']);
  });

  it('says what failed, and asks again', async () => {
    const node = draw(null, makeVersion('x'));
    press(node, 'Show what the columns hold');
    profiles.open[0]?.reject(new RequestError('server', 'object is gone'));
    await rest();
    expect(node.querySelector('[role=alert]')?.textContent).toContain('gone');
    press(node, 'Try again');
    profiles.open[1]?.resolve(makeProfile([makeColumn('a')]));
    await rest();
    expect(node.querySelector('[role=alert]')).toBeNull();
    expect(rowsOf(node)).toHaveLength(1);
  });
});

describe('Environments', () => {
  const makeUse = (name: string): IEnvironmentUse => ({
    ...{ digest: `d-${name}`, run_id: `r-${name}`, run_name: name },
    ...{ run_count: 1, last_at: NOW }
  });
  const draw = (environments: readonly IEnvironmentUse[], runCount = 9) =>
    mount(
      <Environments
        {...{ ...shared, environments, runCount, onDiff: diffs.ask }}
      />
    ).node;
  const makeRow = (group: string, key = 'k'): IDifference => ({
    ...{ group, key, before: 1, after: 2 }
  });

  it.each([
    [[], 9, 'No run has recorded its environment yet.'],
    [[makeUse('a')], 1, 'The only run so far'],
    [[makeUse('a')], 9, 'All of the last 9 runs ran in the same environment.']
  ])('says what there is to compare: %#', (uses, count, words) => {
    expect(draw(uses, count).textContent).toContain(words);
    expect(diffs.asked).toEqual([]);
  });

  it('gives each group its words, and keeps those it does not know', async () => {
    const node = draw([makeUse('new'), makeUse('old')]);
    expect(diffs.asked).toEqual([['r-old', 'r-new']]);
    const groups = [
      ...['packages', 'origins', 'python', 'machine', 'threads'],
      ...['variables', 'seeds', 'weather']
    ];
    const rows = groups.map(group => makeRow(group));
    const gone = { ...makeRow('python', ''), before: '3.12', after: null };
    diffs.open[0]?.resolve({ rows: [...rows, gone], count: 9 });
    await rest();
    const heads = [...node.querySelectorAll('.jp-MLOpsDiff-group')];
    expect(heads.map(head => head.textContent)).toEqual([
      ...['Packages', 'Packages not from an index', 'Python'],
      ...['Machine and devices', 'Threads', 'Environment variables'],
      ...['Seeds', 'weather']
    ]);
    expect(node.querySelector('caption')?.textContent).toBe('9 differences');
    const [removed] = node.querySelectorAll('[data-kind=removed]');
    expect(removed?.textContent).toBe('Python3.12none');
  });

  it('asks anew about another one, and drops the late answer', async () => {
    const node = draw([makeUse('new'), makeUse('old'), makeUse('older')]);
    fill(findChoice(node, 'The last run against'), 'd-older');
    expect(diffs.asked[1]).toEqual(['r-older', 'r-new']);
    diffs.open[1]?.resolve({ rows: [makeRow('python', 'right')], count: 1 });
    await rest();
    diffs.open[0]?.resolve({ rows: [makeRow('python', 'late')], count: 1 });
    await rest();
    expect(node.textContent).toContain('right');
    expect(node.textContent).not.toContain('late');
  });

  it('shows hundreds of differences when it is asked to', async () => {
    const node = draw([makeUse('new'), makeUse('old')]);
    const rows = Array.from({ length: 1200 }, (_, at) =>
      makeRow('packages', `p${at}`)
    );
    diffs.open[0]?.resolve({ rows, count: 1200 });
    await rest();
    const count = () => node.querySelectorAll('[data-kind]').length;
    expect(count()).toBe(30);
    press(node, 'Show all 1,200');
    expect(count()).toBe(1200);
  });

  it('says that nothing differs, or what failed', async () => {
    const node = draw([makeUse('new'), makeUse('old')]);
    diffs.open[0]?.reject(new RequestError('network', 'refused'));
    await rest();
    expect(node.querySelector('[role=alert]')).not.toBeNull();
    press(node, 'Try again');
    diffs.open[1]?.resolve({ rows: [], count: 0 });
    await rest();
    expect(node.textContent).toContain('Nothing that matters differs.');
  });

  it('shows names as text', async () => {
    const node = draw([makeUse('new'), ...EVIL_NAMES.map(makeUse)]);
    const rows = EVIL_NAMES.map(name => ({
      ...{ group: name, key: name, before: name, after: [name] }
    }));
    diffs.open[0]?.resolve({ rows, count: rows.length });
    await rest();
    expect(listLively(node)).toEqual([]);
  });
});
