import * as React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { layoutLanes, MOST_LANES } from '../components/lanes';
import { Rail } from '../components/rail';
import { RequestError } from '../request';
import type {
  IDependency,
  IJobStep,
  IPipeline,
  IStep,
  JobStepStatus
} from '../tokens';
import {
  EVIL_NAMES,
  findButton,
  Held,
  listLively,
  press,
  rest,
  strike
} from './acting';
import { act, makeJob, makePipeline, makeStep, mount, trans } from './fixtures';

const makeDone = (name: string, changes: Partial<IJobStep> = {}): IJobStep => ({
  ...{ name, status: 'succeeded', cells_done: 0, cells_total: 0 },
  ...{ duration_s: null, message: '', notebook: null },
  ...changes
});

let explained: Held<readonly IDependency[]>;
const actions = {
  onRun: vi.fn(),
  onGoTo: vi.fn(),
  onOpenFile: vi.fn(),
  onExplain: (step: string) => explained.ask(step),
  isBusy: false
};

beforeEach(() => {
  explained = new Held();
  vi.clearAllMocks();
});

function draw(
  steps: readonly IStep[],
  done: readonly IJobStep[] = [],
  changes: {
    readonly isEdited?: boolean;
    readonly isBusy?: boolean;
    readonly pipeline?: Partial<IPipeline>;
  } = {}
) {
  const make = (shown: readonly IStep[]) => (
    <Rail
      pipeline={makePipeline(shown, changes.pipeline)}
      job={done.length > 0 ? makeJob({ steps: done }) : null}
      isEdited={changes.isEdited ?? false}
      actions={{ ...actions, isBusy: changes.isBusy ?? false }}
      locale="en"
      trans={trans}
    />
  );
  const { node, update } = mount(make(steps));
  const rows = () => [
    ...node.querySelectorAll<HTMLElement>('.jp-MLOpsRun-summary')
  ];
  return {
    ...{ node, rows },
    show: (next: readonly IStep[]) => update(make(next)),
    open: async (place: number) => {
      act(() => rows()[place]?.click());
      await rest();
    },
    stops: () => rows().map(row => row.tabIndex)
  };
}

const abc = ['a', 'b', 'c'].map(name => makeStep(name));

describe('Rail', () => {
  it.each([
    ['pending', 'Waits'],
    ['running', 'Running'],
    ['succeeded', 'Done'],
    ['cached', 'Cached'],
    ['failed', 'Failed'],
    ['skipped', 'Skipped']
  ] as readonly [JobStepStatus, string][])(
    'says in words that a step is %s',
    (status, words) => {
      const { rows, node } = draw([makeStep('a')], [makeDone('a', { status })]);
      expect(rows()[0]?.textContent).toContain(words);
      expect(node.querySelector('li')?.dataset['status']).toBe(status);
    }
  );

  it.each([
    ['cached', 'Cached'],
    ['runs', 'Will run'],
    ['depends', 'May run'],
    ['skipped', 'Skipped']
  ] as readonly [IStep['foreseen'], string][])(
    'foretells a step that %s, after an edit too',
    (foreseen, words) => {
      const step = makeStep('a', { foreseen });
      expect(draw([step]).rows()[0]?.textContent).toContain(words);
      const done = [makeDone('a', { status: 'failed', duration_s: 3 })];
      const text = draw([step], done, { isEdited: true }).rows()[0];
      expect(text?.textContent).toContain(words);
      // What the last run took says nothing about what stands there now.
      expect(text?.textContent).not.toMatch(/Failed|3\ss/);
    }
  );

  it('counts cells while a step runs, and gives its time afterwards', () => {
    const cells = { cells_done: 2, cells_total: 5 };
    const running = makeDone('a', { status: 'running', ...cells });
    expect(draw([makeStep('a')], [running]).node.textContent).toContain(
      'Running · 2 of 5'
    );
    const ended = makeDone('a', { duration_s: 90 });
    const two = [0, 1].map(index => ({ index, id: null }));
    const step = makeStep('a', { cells: two, loop: '3 rounds' });
    const { node } = draw([step], [ended]);
    expect(node.textContent?.replace(/\u00a0/g, ' ')).toContain(
      'Done · 2 cells · 1 min 30 s · 3 rounds'
    );
  });

  it('is one Tab stop, which goes where the focus goes', () => {
    const { rows, stops, show } = draw(abc);
    expect(stops()).toEqual([0, -1, -1]);
    const [first, , last] = rows() as [HTMLElement, HTMLElement, HTMLElement];
    act(() => first.focus());
    expect(strike(first, 'End')).toBe(true);
    expect(document.activeElement).toBe(last);
    expect(stops()).toEqual([-1, -1, 0]);
    strike(last, 'ArrowDown');
    expect(document.activeElement).toBe(last);
    strike(last, 'ArrowUp');
    expect(document.activeElement).toBe(rows()[1]);
    strike(document.activeElement as HTMLElement, 'Home');
    expect(document.activeElement).toBe(first);
    expect(strike(first, 'x')).toBe(false);
    // The step that had the focus may leave the notebook.
    show(abc.slice(1));
    expect(stops()).toEqual([0, -1]);
  });

  it('leaves arrows within an open step to what stands there', async () => {
    const { node, open } = draw(abc);
    await open(0);
    const inner = findButton(node, 'Go to cell') as HTMLElement;
    expect(strike(inner, 'ArrowDown')).toBe(false);
  });

  it('opens one step at a time, and closes it again', async () => {
    const { rows, open, node } = draw(abc);
    const expanded = () => rows().map(row => row.ariaExpanded);
    await open(0);
    await open(1);
    expect(expanded()).toEqual(['false', 'true', 'false']);
    const details = rows()[1]?.getAttribute('aria-controls') ?? '';
    expect(document.getElementById(details)?.textContent).toContain('Run');
    await open(1);
    expect(expanded()).toEqual(['false', 'false', 'false']);
    expect(node.querySelector('.jp-MLOpsRun-details')).toBeNull();
  });

  it('shows names as text, and says that there are more', async () => {
    const steps = EVIL_NAMES.map(name =>
      makeStep(name, { loop: name, reason: name })
    );
    const edges = EVIL_NAMES.slice(1).map((target, at) => ({
      source: EVIL_NAMES[at] ?? '',
      target,
      names: [target, target]
    }));
    const pipeline = { edges, step_count: 500 };
    const { node, open } = draw(steps, [], { pipeline });
    await open(1);
    expect(listLively(node)).toEqual([]);
    expect(node.textContent).toContain('490 more steps are not shown');
    // A value that goes to two steps leaves once.
    const leaving = node.querySelector('.jp-MLOpsStep-leaving');
    expect(leaving?.textContent).toBe(`gives ${EVIL_NAMES[1]}`);
  });
});

describe('an open step', () => {
  const edge = { source: 'a', target: 'b', names: ['rows'] };
  const two = [makeStep('a'), makeStep('b', { after: ['a', 'z'] })];
  const end = { cell: 3, line: 2, text: 'rows = 1', rule: 'r', is_sure: true };
  const found = {
    ...{ source: 'a', target: 'b', name: 'rows' },
    written: end,
    used: { ...end, cell: 5, is_sure: false }
  };

  it('runs from here or alone, and goes to its cell', async () => {
    const { node, open } = draw(two);
    await open(1);
    press(node, 'Run from here');
    press(node, 'Run only this');
    expect(actions.onRun.mock.calls).toEqual([
      [{ start_at: 'b' }],
      [{ only: 'b' }]
    ]);
    press(node, 'Go to cell');
    expect(actions.onGoTo).toHaveBeenCalledWith({ index: 1, id: 'id-b' });
  });

  it.each([
    { isBusy: true },
    {
      pipeline: {
        problem: { error: 'E', message: 'm', hint: '', cell: null }
      }
    }
  ])('cannot be run while something is in the way: %j', async changes => {
    const { node, open } = draw(two, [], changes);
    await open(0);
    expect(findButton(node, 'Run from here')?.disabled).toBe(true);
    expect(findButton(node, 'Run only this')?.disabled).toBe(true);
    expect(findButton(node, 'Go to cell')?.disabled).toBe(false);
  });

  it('says what reaches it, with both ends', async () => {
    const { node, open } = draw(two, [], { pipeline: { edges: [edge] } });
    await open(1);
    expect(explained.asked).toEqual([['b']]);
    expect(node.textContent).toContain('Loading…');
    explained.open[0]?.resolve([found, { ...found, target: 'other' }]);
    await rest();
    expect(node.querySelectorAll('.jp-MLOpsWhy > li')).toHaveLength(1);
    press(node, 'cell 6, line 2');
    expect(actions.onGoTo).toHaveBeenCalledWith({ index: 5, id: null });
    expect(node.textContent).toContain('perhaps');
    // What comes after it without a value is named apart.
    expect(node.textContent).toContain('Runs after z');
  });

  it('asks nothing about a step that nothing reaches', async () => {
    const { open } = draw(two, [], { pipeline: { edges: [edge] } });
    await open(0);
    expect(explained.asked).toEqual([]);
  });

  it('says why nobody knows, and asks again', async () => {
    const { node, open } = draw(two, [], { pipeline: { edges: [edge] } });
    await open(1);
    explained.open[0]?.reject(new RequestError('timeout'));
    await rest();
    press(node, 'Try again');
    expect(explained.asked).toHaveLength(2);
  });

  it('shows what went wrong, and the notebook as it was executed', async () => {
    const failed = makeDone('a', {
      ...{ status: 'failed', notebook: 'out/a.ipynb' },
      message: EVIL_NAMES[0] ?? ''
    });
    const { node, open } = draw(two, [failed]);
    await open(0);
    expect(node.querySelector('.jp-MLOpsRun-error')?.textContent).toBe(
      EVIL_NAMES[0]
    );
    press(node, 'Open executed');
    expect(actions.onOpenFile).toHaveBeenCalledWith('out/a.ipynb');
  });
});

describe('layoutLanes', () => {
  it('takes links to steps that there are not, or backwards, for none', () => {
    const rows = layoutLanes(
      ['a', 'b'],
      [
        ['x', 'a'],
        ['b', 'a'],
        ['a', 'a'],
        ['b', 'x']
      ]
    );
    expect(rows.every(row => row.into.length === 0 && !row.hasTail)).toBe(true);
  });

  it('has no two steps on a lane that something goes past', () => {
    // A step that the last waits for holds its lane over all between.
    const names = ['load', 'a', 'b', 'c', 'join'];
    const rows = layoutLanes(names, [
      ['load', 'join'],
      ['a', 'join'],
      ['b', 'c'],
      ['c', 'join']
    ]);
    rows.forEach((row, at) => {
      const isFree = !row.through.includes(row.lane);
      expect(isFree || at === names.length - 1).toBe(true);
    });
    expect(rows.map(row => row.lane)).toEqual([0, 1, 2, 2, 0]);
  });

  it('lays out a thousand steps in no time, within its room', () => {
    const names = Array.from({ length: 1000 }, (_, at) => `s${at}`);
    const links = names.map(name => [name, 's999'] as const);
    const rows = layoutLanes(names, links);
    expect(Math.max(...rows.map(row => row.lane))).toBe(MOST_LANES - 1);
    expect(rows[999]?.into.length).toBeLessThanOrEqual(MOST_LANES);
  });
});
