import * as React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LiveRuns } from '../components/liveruns';
import { Code, Datasets, Environment } from '../components/surroundings';
import { nameReason, Suspects } from '../components/suspects';
import type { IReason, ISuspect, ReasonKind } from '../notebookwords';
import { RequestError } from '../request';
import type { ICell, ICellsPage, ICurve, IRun, ISurroundings } from '../tokens';
import {
  EVIL_NAMES,
  findButton,
  Held,
  listLively,
  press,
  rest
} from './acting';
import {
  act,
  makeCurve,
  makeDetails,
  makeRun,
  mount,
  NOW,
  trans
} from './fixtures';

describe('cells to run again', () => {
  const makeSuspect = (
    index: number,
    reasons: readonly IReason[],
    source = 'x = 1'
  ): ISuspect => ({
    ...{ cell: { index, id: `c${index}`, source }, reasons },
    executionCount: index === 0 ? null : index
  });
  const makeReason = (kind: ReasonKind, name = 'x'): IReason => ({
    ...{ kind, name, by: 4 }
  });
  const onGoTo = vi.fn();
  const draw = (suspects: readonly ISuspect[], hasRun = true) =>
    mount(<Suspects {...{ suspects, hasRun, trans, onGoTo }} />).node;

  it.each([
    ['edited', 'It was edited since it ran.'],
    ['rebound', 'Cell 5 has set “x” anew since.'],
    ['upstream', '“x” comes from cell 5, which should run again.'],
    ['below', 'It used “x” as cell 5, further down, had left it.'],
    ['order', 'as cell 5 had left it, not the nearest cell above'],
    ['self', 'It ran again on what it had made of “x” before.'],
    ['gone', 'It used “x”, which no cell above it sets any more.']
  ] as const)('are told why: %s', (kind, words) => {
    expect(nameReason(makeReason(kind), trans)).toContain(words);
  });

  it('cut names that are too long to be read', () => {
    const words = nameReason(makeReason('gone', 'y'.repeat(10_000)), trans);
    expect(words.length).toBeLessThan(120);
    expect(words).toContain('yyy…”');
  });

  it('say at most three reasons, and how many more there are', () => {
    const reasons = EVIL_NAMES.map(name => makeReason('gone', name));
    const four = reasons.slice(0, 4);
    const node = draw([makeSuspect(1, reasons), makeSuspect(2, four)]);
    const [many, few] = node.querySelectorAll('.jp-MLOpsSuspect');
    expect(many?.querySelectorAll('li')).toHaveLength(4);
    expect(many?.textContent).toContain('And 7 more reasons.');
    expect(few?.textContent).toContain('And one more reason.');
    expect(listLively(node)).toEqual([]);
  });

  it('lead to the cell, whose first line that says something is shown', () => {
    const source = `\n\n  ${EVIL_NAMES[0]}\nrest`;
    const node = draw([makeSuspect(0, [makeReason('edited')], source)]);
    const button = node.querySelector('button') as HTMLButtonElement;
    expect(button.textContent).toBe(`Cell 1   ${EVIL_NAMES[0]}`);
    act(() => button.click());
    expect(onGoTo).toHaveBeenCalledWith({ index: 0, id: 'c0' });
  });

  it('come in parts where a whole notebook is old', () => {
    const many = Array.from({ length: 1000 }, (_, at) =>
      makeSuspect(at, [makeReason('edited')])
    );
    const node = draw(many);
    const count = () => node.querySelectorAll('.jp-MLOpsSuspect').length;
    expect(count()).toBe(20);
    press(node, 'Show more of the 1000 cells');
    expect(count()).toBe(120);
  });

  it('are none where nothing ran, or where all is as it should be', () => {
    expect(draw([], false).textContent).toContain('No cell has run');
    expect(draw([]).textContent).toContain('None: what has run');
  });
});

describe('data that a run used', () => {
  const columns = [
    ['age', 'int64'],
    ['age', 'str']
  ] as const;
  const dataset = {
    ...{ fingerprint: 'f'.repeat(64), kind: 'frame', name: 'X', role: '' },
    ...{ shape: [3, 2], columns, size_bytes: 2_000 }
  };

  it('is a table, with the columns on demand, twins too', () => {
    const evil = { ...dataset, name: EVIL_NAMES[0] ?? '', role: 'train' };
    const datasets = [dataset, evil, { ...evil, columns: [], name: '' }];
    const { node } = mount(<Datasets {...{ datasets, locale: 'en', trans }} />);
    const rows = [...node.querySelectorAll('tbody tr')];
    expect(rows.map(row => row.querySelector('th')?.textContent)).toEqual([
      ...['frame', 'train', 'train']
    ]);
    expect(rows[0]?.querySelectorAll('dt')).toHaveLength(2);
    expect(rows[0]?.textContent).toContain('3 × 22 kBffffffffffff');
    expect(rows[2]?.querySelector('details')).toBeNull();
    expect(listLively(node)).toEqual([]);
  });

  it('is nothing where none was used', () => {
    const { node } = mount(
      <Datasets {...{ datasets: [], locale: 'en', trans }} />
    );
    expect(node.textContent).toBe('');
  });
});

describe('the environment of a run', () => {
  let held: Held<ISurroundings>;

  beforeEach(() => {
    held = new Held();
  });

  const draw = (changes: Parameters<typeof makeDetails>[0]) =>
    mount(
      <Environment run={makeDetails(changes)} trans={trans} onAsk={held.ask} />
    ).node;

  it('is not asked for where none was kept', async () => {
    const node = draw({});
    await rest();
    expect(node.textContent).toBe('');
    expect(held.asked).toEqual([]);
  });

  it('is shown as far as it can be read', async () => {
    const node = draw({ environment: 'e' });
    held.open[0]?.resolve({
      environment: {
        python: { version: '3.12.1' },
        packages: { numpy: '2.0', [EVIL_NAMES[0] ?? '']: EVIL_NAMES[1] },
        imported: { numpy: { nested: true } }
      },
      code: { commit: 'abc', branch: 7, diff: '+<script>x</script>' }
    });
    await rest();
    const text = node.textContent ?? '';
    expect(text).toContain('Python3.12.1Commitabc');
    expect(text).toContain('Branch7');
    expect(text).toContain('All 2 installed packages');
    expect(text).not.toContain('[object');
    expect(node.querySelector('pre')?.textContent).toBe('+<script>x</script>');
    expect(listLively(node)).toEqual([]);
  });

  it.each([
    { environment: null, code: null },
    { environment: { packages: 'text' }, code: {} },
    { environment: { python: null }, code: { diff: ['x'] } }
  ])('is no reason to fail, whatever it holds: %j', async surroundings => {
    const node = draw({ environment: 'e' });
    held.open[0]?.resolve(surroundings);
    await rest();
    expect(node.querySelector('h2')?.textContent).toBe('Environment');
    expect(node.querySelector('[role=alert]')).toBeNull();
  });
});

describe('code as it ran', () => {
  let held: Held<ICellsPage>;

  beforeEach(() => {
    held = new Held();
  });

  const makeCell = (index: number, changes: Partial<ICell> = {}): ICell => ({
    ...{ index, source: `x${index}`, duration_s: 1, status: 'ok' },
    ...{ error: null, execution_count: index + 1 },
    ...changes
  });
  const answer = async (from: number, count: number) => {
    const cells = Array.from({ length: 50 }, (_, at) => makeCell(from + at));
    held.open[held.open.length - 1]?.resolve({ cells, count, offset: from });
    await rest();
  };
  const draw = (count: number) =>
    mount(<Code {...{ count, locale: 'en', trans, onAsk: held.ask }} />).node;

  it('turns pages, and never beyond an end', async () => {
    const node = draw(120);
    await answer(0, 120);
    expect(findButton(node, 'Previous')?.disabled).toBe(true);
    expect(node.textContent).toContain('Cells 1 to 50 of 120');
    press(node, 'Next');
    await answer(50, 120);
    press(node, 'Next');
    const cells = Array.from({ length: 20 }, (_, at) => makeCell(100 + at));
    held.open[2]?.resolve({ cells, count: 120, offset: 100 });
    await rest();
    expect(node.textContent).toContain('Cells 101 to 120 of 120');
    expect(findButton(node, 'Next')?.disabled).toBe(true);
    press(node, 'Previous');
    expect(held.asked).toEqual([[0], [50], [100], [50]]);
  });

  it('says what went wrong, in a cell or in asking', async () => {
    const node = draw(2);
    held.open[0]?.reject(new RequestError('forbidden'));
    await rest();
    press(node, 'Try again');
    const cells = [
      makeCell(0, { status: 'error', error: EVIL_NAMES[0] ?? '' }),
      makeCell(1, { execution_count: null, duration_s: null })
    ];
    held.open[1]?.resolve({ cells, count: 2, offset: 0 });
    await rest();
    expect(node.querySelector('.jp-MLOpsRun-error')?.textContent).toBe(
      EVIL_NAMES[0]
    );
    const heads = [...node.querySelectorAll('.jp-MLOpsCell-head')];
    expect(heads[1]?.textContent).toBe('Cell [ ]');
    // A long line scrolls, by the keyboard too.
    expect(node.querySelector('pre')?.tabIndex).toBe(0);
    expect(node.querySelector('nav')).toBeNull();
  });
});

describe('runs under way', () => {
  let held: Held<ICurve>;

  beforeEach(() => {
    vi.useFakeTimers();
    held = new Held();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const onOpen = vi.fn();
  const make = (runs: readonly IRun[], revision = 0) => (
    <LiveRuns
      {...{ runs, revision, locale: 'en', trans, onOpen }}
      now={Date.parse(NOW)}
      onCurve={held.ask}
    />
  );
  const settle = (milliseconds = 0) =>
    React.act(() => vi.advanceTimersByTimeAsync(milliseconds));

  it('are nothing where no run is', () => {
    expect(mount(make([])).node.textContent).toBe('');
  });

  it('show four metrics, results first, and name how many more there are', () => {
    const metrics = Object.fromEntries(
      ['system/cpu', 'fit_time_s', 'a', 'b', 'c', 'd', 'e'].map(key => [key, 1])
    );
    const { node } = mount(make([makeRun({ metrics })]));
    expect(node.querySelector('h4')?.textContent).toBe('Last run');
    const keys = [...node.querySelectorAll('.jp-MLOpsLive-key')];
    expect(keys.map(key => key.textContent)).toEqual(['a', 'b', 'c', 'd']);
    expect(node.textContent).toContain('3 more metrics on its page.');
  });

  it('show what the machine did where nothing else was logged', () => {
    const metrics = { 'system/cpu': 1, 'system/gpu': 2 };
    const { node } = mount(make([makeRun({ metrics })]));
    expect(node.querySelectorAll('.jp-MLOpsLive-metric')).toHaveLength(2);
  });

  it('count their time, ask for curves as they grow, and once when ended', async () => {
    const running = makeRun({ status: 'running', duration_s: null });
    const { node, update } = mount(make([running]));
    expect(node.textContent?.replace(/\u00a0/g, ' ')).toContain(
      'Running · 2 min 0 s'
    );
    expect(held.asked).toHaveLength(2);
    held.open.forEach(each => each.resolve(makeCurve()));
    await settle(300);
    expect(node.querySelectorAll('svg.jp-MLOpsCurve')).toHaveLength(2);
    update(make([running], 1));
    await settle();
    expect(held.asked).toHaveLength(4);
    held.open.forEach(each => each.resolve(makeCurve()));
    await settle(300);
    const ended = makeRun({ status: 'finished' });
    update(make([ended], 2));
    await settle();
    held.open.forEach(each => each.resolve(makeCurve()));
    await settle(300);
    update(make([ended], 3));
    await settle(300);
    expect(held.asked).toHaveLength(6);
  });

  it('keep the values where no curve comes, and draw none of one point', async () => {
    const { node } = mount(make([makeRun({ metrics: { a: 0.5, b: 'NaN' } })]));
    held.open[0]?.reject(new RequestError('timeout'));
    held.open[1]?.resolve(makeCurve({ count: 1, steps: [0] }));
    await settle(300);
    expect(node.querySelector('svg.jp-MLOpsCurve')).toBeNull();
    const values = [...node.querySelectorAll('strong')];
    expect(values.map(value => value.textContent)).toEqual(['0.5', 'NaN']);
  });

  it('show names as text, and open', () => {
    const runs = EVIL_NAMES.map((name, at) =>
      makeRun({ run_id: `${at}`, name, metrics: { [name]: 1 } })
    );
    const { node } = mount(make(runs));
    expect(listLively(node)).toEqual([]);
    act(() => node.querySelectorAll('button')[1]?.click());
    expect(onOpen).toHaveBeenCalledWith(runs[1]);
  });
});
