import * as React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ComparisonTable } from '../components/comparison';
import { RunList } from '../components/runlist';
import { RunPageView } from '../components/runpage';
import { RequestError } from '../request';
import type {
  IComparedRow,
  IComparison,
  IRun,
  IRunDetails,
  IRunsPage
} from '../tokens';
import {
  EVIL_NAMES,
  findButton,
  Held,
  listLively,
  press,
  rest
} from './acting';
import { FakeAgain } from './fakes';
import {
  act,
  makeActions,
  makeDetails,
  makePage,
  makeRun,
  mount,
  NOW,
  trans
} from './fixtures';

describe('the runs in a run', () => {
  let held: Held<IRunsPage>;
  const onOpen = vi.fn();
  const never = () => new Promise<never>(() => {});

  beforeEach(() => {
    vi.useFakeTimers();
    held = new Held();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const make = (changes: Partial<IRunDetails>, revision = 0) => (
    <RunPageView
      run={makeDetails({ metrics: {}, ...changes })}
      {...{ revision, locale: 'en', trans, onOpen, job: null }}
      again={new FakeAgain()}
      onCompare={() => {}}
      onOpenFile={() => {}}
      onOpenCode={() => Promise.resolve()}
      questions={{
        ...{ onCurve: never, onCells: never, onSurroundings: never },
        ...{ onArtifact: never, onOther: never },
        onChildren: held.ask
      }}
    />
  );
  const settle = (milliseconds = 0) =>
    React.act(() => vi.advanceTimersByTimeAsync(milliseconds));
  const answer = async (place: number, ...names: string[]) => {
    const runs = names.map(name => makeRun({ run_id: name, name }));
    held.open[place]?.resolve(makePage(runs));
    await settle(300);
  };

  it('appear while the run is at work, one question at a time', async () => {
    const { node, update } = mount(make({ status: 'running' }));
    expect(node.textContent).not.toContain('Related runs');
    await answer(0, 'first');
    update(make({ status: 'running' }, 1));
    update(make({ status: 'running' }, 2));
    update(make({ status: 'running' }, 3));
    await settle(300);
    expect(held.open).toHaveLength(2);
    await answer(1, 'first', 'second');
    expect(findButton(node, 'second')).toBeDefined();
    press(node, 'second');
    expect(onOpen).toHaveBeenCalledWith('second', 'second');
  });

  it('are asked for once when the run has ended', async () => {
    const { update } = mount(make({ status: 'finished' }));
    await answer(0, 'first');
    update(make({ status: 'finished' }, 1));
    update(make({ status: 'finished' }, 2));
    await settle(300);
    expect(held.open).toHaveLength(1);
  });

  it('stay as they were where the server fails meanwhile', async () => {
    const { node, update } = mount(make({ status: 'running' }));
    await answer(0, 'first');
    update(make({ status: 'running' }, 1));
    held.open[1]?.reject(new RequestError('timeout'));
    await settle(300);
    expect(findButton(node, 'first')).toBeDefined();
  });

  it('stand beside the run that it is part of, as text', async () => {
    const parent = '0193aaaa-0000-7000-8000-00000000beef';
    const { node } = mount(make({ parent_run_id: parent }));
    held.open[0]?.resolve({
      ...makePage(EVIL_NAMES.map(name => makeRun({ run_id: name, name }))),
      has_more: true
    });
    await settle(300);
    press(node, '0000beef');
    expect(onOpen).toHaveBeenLastCalledWith(parent, '0000beef');
    expect(listLively(node)).toEqual([]);
    expect(node.textContent).toContain('More are in the list of all notebooks');
  });
});

describe('one run in two lists', () => {
  it('has details of its own in each', () => {
    const make = () =>
      mount(
        <RunList
          {...{ trans, columns: null, isByTime: true, groupBy: null }}
          page={makePage([makeRun()])}
          selected={new Map()}
          actions={makeActions()}
          now={Date.parse(NOW)}
          locale="en"
          onChoose={() => {}}
          onTurnTo={() => {}}
        />
      ).node;
    const details = [make(), make()].map(node => {
      const row = node.querySelector<HTMLElement>('.jp-MLOpsRun-summary');
      act(() => row?.click());
      const found = document.getElementById(
        row?.getAttribute('aria-controls') ?? ''
      );
      expect(node.contains(found)).toBe(true);
      return found;
    });
    expect(details[0]).not.toBe(details[1]);
  });
});

describe('ComparisonTable', () => {
  let held: Held<IComparison>;
  const onOpen = vi.fn();
  const runs: IRun[] = [
    makeRun({ run_id: '1', name: 'one', params: { none: null } }),
    makeRun({ run_id: '2', name: EVIL_NAMES[0] ?? '', params: {} })
  ];

  beforeEach(() => {
    held = new Held();
  });

  const makeRow = (changes: Partial<IComparedRow> = {}): IComparedRow => ({
    ...{ group: 'metric', key: 'acc', values: [0.5, 0.75], differs: true },
    ...changes
  });
  const draw = (rows: readonly IComparedRow[], count = rows.length) =>
    mount(
      <ComparisonTable
        comparison={{ runs, rows, count, offset: 0 }}
        {...{ locale: 'en', trans, onOpen, onMore: held.ask }}
      />
    ).node;
  const marked = (node: HTMLElement) =>
    [...node.querySelectorAll('[data-highest=true]')].map(
      cell => cell.textContent
    );

  it.each([
    ['a result', {}, ['0.75']],
    ['what something cost', { key: 'fit_time_s' }, []],
    ['what is the same', { differs: false }, []],
    ['a parameter', { group: 'param' }, []],
    ['a result of one run', { values: [0.5, null] }, []],
    ['what is no number', { values: ['NaN', 'Infinity'] }, []]
  ] as const)('marks the highest of %s or none', (_, changes, expected) => {
    expect(marked(draw([makeRow(changes)]))).toEqual(expected);
  });

  it('tells None from nothing', () => {
    const node = draw([
      makeRow({ group: 'param', key: 'none', values: [null, null] })
    ]);
    const cells = [...node.querySelectorAll('tbody td')];
    expect(cells.map(cell => cell.textContent)).toEqual(['None', '–']);
  });

  it('shows what is the same when it is asked to, and hides it again', () => {
    const same = makeRow({ key: 'same', values: [1, 1], differs: false });
    const node = draw([makeRow(), same]);
    const button = () => node.querySelector('[aria-expanded]');
    expect(node.textContent).not.toContain('Hide what is the same');
    press(node, 'Show 1 that is the same');
    expect(button()?.getAttribute('aria-expanded')).toBe('true');
    expect(node.querySelector('[data-differs=false]')).not.toBeNull();
    press(node, 'Hide what is the same');
    expect(node.querySelector('[data-differs=false]')).toBeNull();
  });

  it('opens each run by its name, which is text', () => {
    const node = draw([makeRow()]);
    press(node, EVIL_NAMES[0] ?? '');
    expect(onOpen).toHaveBeenCalledWith(runs[1]);
    expect(listLively(node)).toEqual([]);
  });

  it('asks for further rows, and shows none twice', async () => {
    const node = draw([makeRow()], 3);
    expect(node.textContent).toContain('2 more are not shown.');
    press(node, 'Show more rows');
    expect(held.asked).toEqual([[1]]);
    expect(findButton(node, 'Show more rows')?.disabled).toBe(true);
    const rows = [makeRow(), makeRow({ key: 'b' }), makeRow({ key: 'c' })];
    held.open[0]?.resolve({ runs, rows, count: 3, offset: 1 });
    await rest();
    const names = [...node.querySelectorAll('tbody th[scope=row]')];
    expect(names.map(name => name.textContent)).toEqual(['acc', 'b', 'c']);
    expect(findButton(node, 'Show more rows')).toBeUndefined();
  });

  it.each([
    [new RequestError('forbidden'), 'The server refused the request.'],
    [new RequestError('server', 'gone'), 'The store cannot be used. gone']
  ])('says why no further rows came: %s', async (failure, words) => {
    const node = draw([makeRow()], 3);
    press(node, 'Show more rows');
    held.open[0]?.reject(failure);
    await rest();
    expect(node.querySelector('[role=status]')?.textContent).toContain(words);
    expect(findButton(node, 'Show more rows')?.disabled).toBe(false);
  });
});
