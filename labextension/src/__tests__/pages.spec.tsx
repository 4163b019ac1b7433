import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { chooseTicks, Curve } from '../components/curve';
import { formatSize } from '../components/format';
import { RequestError } from '../request';
import { ComparePage } from '../sections/compare';
import { RunPage } from '../sections/runpage';
import { FakeAgain } from './fakes';
import {
  act,
  FakeApi,
  makeCurve,
  makeDetails,
  makeRun,
  mount,
  trans
} from './fixtures';

const evil = '<img src=x onerror=alert(1)>\u202e' + 'x'.repeat(10_000);

describe('chooseTicks', () => {
  it.each([
    [0, 1, [0, 0.5, 1]],
    [0, 299, [0, 100, 200]],
    [-1e-9, 1e-9, [-1e-9, 0, 1e-9]],
    [5, 5, [5]],
    [-1e308, 1e308 * 10, [-1e308]]
  ])('gives round numbers from %f to %f', (low, high, ticks) => {
    expect(chooseTicks(low, high, 3)).toEqual(ticks);
  });
});

describe('Curve', () => {
  const draw = (changes: Parameters<typeof makeCurve>[0]) =>
    mount(<Curve curve={makeCurve(changes)} locale="en" trans={trans} />).node;

  it('says in words what it shows', () => {
    const node = draw({});
    expect(node.querySelector('svg')?.getAttribute('aria-label')).toBe(
      'loss over steps 0 to 2: from 0.25 to 1, last 0.25'
    );
  });

  it('leaves a gap where there is no number', () => {
    const values = [1, 'NaN', 2, 3] as const;
    const node = draw({ steps: [0, 1, 2, 3], lows: values, highs: values });
    const line = node.querySelector('path')?.getAttribute('d') ?? '';
    expect(line.match(/M/g)).toHaveLength(2);
    expect(line).not.toContain('NaN');
  });

  it('draws huge numbers, and says where nothing can be drawn', () => {
    const huge = [-1.7e308, 1.7e308];
    const line = draw({ steps: [0, 1], lows: huge, highs: huge })
      .querySelector('path')
      ?.getAttribute('d');
    expect(line).not.toMatch(/NaN|Infinity/);
    const none = draw({ steps: [0], lows: ['NaN'], highs: ['NaN'] });
    expect(none.textContent).toContain('No value of it can be drawn');
  });

  it('tells the value under the pointer', () => {
    const node = draw({});
    act(() => {
      node
        .querySelector('svg')
        ?.dispatchEvent(new MouseEvent('pointermove', { bubbles: true }));
    });
    expect(node.textContent).toContain('step 0: 1');
  });
});

describe('formatSize', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [999_999, '1 MB'],
    [1234, '1.23 kB'],
    [5e12, '5 TB'],
    [5e15, '5000 TB']
  ])('gives %i as %s', (bytes, text) => {
    expect(formatSize(bytes, 'en').replace(/,/g, '')).toBe(text);
  });
});

describe('pages', () => {
  let api: FakeApi;

  beforeEach(() => {
    // Widgets render when Lumino says, not inside act().
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
    URL.createObjectURL = vi.fn(() => 'blob:x');
    URL.revokeObjectURL = vi.fn();
    api = new FakeApi();
  });

  const onOpen = vi.fn();
  const shared = {
    translator: nullTranslator,
    onOpen,
    onCompare: vi.fn(),
    onOpenFile: vi.fn(),
    onOpenCells: vi.fn(),
    makeAgain: () => new FakeAgain()
  };

  /** Show a page, and wait until it says something. */
  async function show(page: Widget, words: string): Promise<string> {
    Widget.attach(page, document.body);
    await waitFor(page, words);
    return page.node.textContent ?? '';
  }

  async function waitFor(page: Widget, words: string): Promise<void> {
    await vi.waitFor(() => {
      MessageLoop.flush();
      const text = page.node.textContent ?? '';
      // Not toContain: its message would give all of a text of many pages.
      expect(text.includes(words), words).toBe(true);
    }, 10_000);
  }

  it('show everything a run keeps, and run none of it', async () => {
    api.details = makeDetails({
      name: evil,
      params: { [evil]: evil },
      tags: { owner: evil },
      artifacts: [
        {
          path: evil,
          digest: 'd',
          size_bytes: 5,
          media_type: 'image/svg+xml'
        }
      ],
      artifact_count: 7,
      cell_count: 120,
      environment: 'e',
      parent_run_id: 'parent',
      datasets: [
        {
          fingerprint: 'f'.repeat(64),
          kind: 'frame',
          name: 'table',
          role: 'X',
          shape: [3, 2],
          columns: [['age', 'int64']],
          size_bytes: 48
        }
      ]
    });
    api.cells = {
      cells: [
        {
          index: 0,
          source: evil,
          duration_s: 1,
          status: 'error',
          error: 'ValueError: no',
          execution_count: null
        }
      ],
      count: 120,
      offset: 0
    };
    api.surroundings = {
      environment: {
        python: { version: '3.11.7' },
        packages: { numpy: '2.0' },
        imported: null
      },
      code: { diff: evil, commit: 5, branch: ['odd'] }
    };
    const page = new RunPage({
      api,
      place: { runId: 'r', notebook: 'n' },
      ...shared
    });
    const text = await show(page, 'numpy');
    for (const part of [
      'age',
      '3 × 2',
      '3.11.7',
      'numpy',
      'ValueError: no',
      '6 more are not listed here.',
      'Cells 1 to 1 of 120',
      '3 points',
      'Part of'
    ]) {
      expect(text.includes(part), part).toBe(true);
    }
    expect(page.node.querySelectorAll('script')).toHaveLength(0);
    await vi.waitFor(() => {
      const images = [...page.node.querySelectorAll('img')];
      expect(images.map(image => image.getAttribute('src'))).toEqual([
        'blob:x'
      ]);
    });
    const link = page.node.querySelector<HTMLElement>('.jp-MLOpsLink');
    link?.click();
    expect(onOpen).toHaveBeenCalledWith('parent', 'parent');
    const said = vi.spyOn(console, 'error');
    page.dispose();
    expect(page.isDisposed).toBe(true);
    expect(said).not.toHaveBeenCalled();
    said.mockRestore();
  });

  it('fold parameters at their defaults, so that metrics are in view', async () => {
    api.details = makeDetails({
      params: { C: 2, a: 1, b: 1, c: 1, d: 1 },
      tags: { 'params.changed': 'C' }
    });
    const page = new RunPage({
      api,
      place: { runId: 'r', notebook: 'n' },
      ...shared
    });
    expect(await show(page, '4 more parameters')).toContain('ParametersC2');
    page.dispose();

    const names = Array.from({ length: 500 }, (_, at) => [`p${at}`, at]);
    const params = Object.fromEntries(names) as Record<string, number>;
    api.details = makeDetails({ params });
    const wide = new RunPage({
      api,
      place: { runId: 'r', notebook: 'n' },
      ...shared
    });
    await show(wide, '460 more parameters');
    wide.dispose();
  });

  it('say what failed, in whole or in part, and try again', async () => {
    api.details = makeDetails();
    vi.spyOn(api, 'getCurve').mockRejectedValueOnce(
      new RequestError('server', 'disk is gone')
    );
    const page = new RunPage({
      api,
      place: { runId: 'r', notebook: 'n' },
      ...shared
    });
    expect(await show(page, 'disk is gone')).toContain('baseline');
    page.node.querySelector<HTMLElement>('[role=alert] button')?.click();
    await vi.waitFor(() => {
      expect(page.node.textContent).not.toContain('disk is gone');
    });
    page.dispose();

    api.failure = new RequestError('server', 'no run', 'look elsewhere');
    const broken = new RunPage({
      api,
      place: { runId: 'r', notebook: 'n' },
      ...shared
    });
    expect(await show(broken, 'look elsewhere')).toContain('no run');
    broken.dispose();
  });

  it('compare runs, differences first', async () => {
    api.comparison = {
      runs: [
        makeRun({ run_id: '1', name: 'one', params: { depth: null } }),
        makeRun({ run_id: '2', name: evil })
      ],
      rows: [
        {
          group: 'metric',
          key: 'fit_time_s',
          values: [1, 2],
          differs: true
        },
        { group: 'param', key: 'depth', values: [null, null], differs: false },
        {
          group: 'metric',
          key: 'acc',
          values: [0.5, 0.75],
          differs: true
        },
        { group: 'metric', key: 'lost', values: [1, null], differs: true },
        { group: 'param', key: 'C', values: [evil, evil], differs: false }
      ],
      count: 5,
      offset: 0
    };
    const page = new ComparePage({
      api,
      runIds: ['1', '2'],
      notebook: 'n',
      ...shared
    });
    const text = await show(page, 'Comparison of 2 runs');
    // What a run gave stands before what it cost, of which the most is not the best.
    expect(text.includes('lost1–fit_time_s12')).toBe(true);
    expect(text.includes('Parameters')).toBe(false);
    const [name] = page.node.querySelectorAll('th:has(wbr)');
    expect(name?.innerHTML).toBe('fit_<wbr>time_<wbr>s');
    const highest = page.node.querySelectorAll('[data-highest=true]');
    expect([...highest].map(cell => cell.textContent)).toEqual(['0.75']);
    const button = page.node.querySelector<HTMLElement>('[aria-expanded]');
    button?.click();
    await waitFor(page, 'Parameters');
    expect(page.node.textContent?.includes('depthNone–')).toBe(true);
    expect(page.node.querySelector('img')).toBeNull();
    page.dispose();
  });

  it('give further rows of a comparison on demand, none twice', async () => {
    const name = (key: string) =>
      ({ group: 'param', key, values: [1, 2], differs: true }) as const;
    const runs = [makeRun({ run_id: '1' }), makeRun({ run_id: '2' })];
    const first = { runs, rows: [name('a'), name('b')], count: 4, offset: 0 };
    const ask = vi
      .spyOn(api, 'compareRuns')
      .mockResolvedValueOnce(first)
      .mockRejectedValueOnce(new RequestError('server', 'disk is gone'))
      .mockResolvedValueOnce({ ...first, rows: [name('b'), name('c')] })
      .mockResolvedValue({ ...first, rows: [name('d')] });
    const page = new ComparePage({
      api,
      runIds: ['1', '2'],
      notebook: 'n',
      ...shared
    });
    await show(page, '2 more are not shown.');
    const press = () =>
      page.node
        .querySelector<HTMLElement>('[role=status]')
        ?.parentElement?.querySelector('button')
        ?.click();
    press();
    await waitFor(page, 'disk is gone');
    press();
    await waitFor(page, '1 more is not shown.');
    press();
    await waitFor(page, 'd12');
    const names = [...page.node.querySelectorAll('th[scope=row]')];
    expect(names.map(each => each.textContent)).toEqual(['a', 'b', 'c', 'd']);
    expect(page.node.textContent).not.toContain('more rows');
    expect(ask).toHaveBeenLastCalledWith(['1', '2'], 'n', 3);
    page.dispose();
  });

  it('say that nothing differs', async () => {
    api.comparison = {
      runs: [makeRun({ run_id: '1' }), makeRun({ run_id: '2' })],
      rows: [],
      count: 0,
      offset: 0
    };
    const page = new ComparePage({
      api,
      runIds: ['1', '2'],
      notebook: 'n',
      ...shared
    });
    expect(await show(page, 'Nothing that was recorded differs')).toContain(
      'Comparison'
    );
    page.dispose();
  });
});
