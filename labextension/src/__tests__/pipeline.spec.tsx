import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { readRole, writeRole } from '../components/celltags';
import { layoutLanes, MOST_LANES } from '../components/lanes';
import { RequestError } from '../request';
import type { INotebookInView } from '../sections/answerview';
import { PipelineSection } from '../sections/pipeline';
import type { IJobStep } from '../tokens';
import {
  FakeApi,
  FakeBridge,
  FakeCells,
  makeJob,
  makePipeline,
  makeStep
} from './fixtures';

const evil = '<img src=x onerror=alert(1)>';

class View implements INotebookInView {
  notebook: string | null = 'a.ipynb';
  readonly notebookChanged = new Signal<this, void>(this);
}

let api: FakeApi;
let bridge: FakeBridge;
let view: View;
let cells: FakeCells;
let section: PipelineSection;
const opener = { openFile: vi.fn(), openRunById: vi.fn() };

beforeEach(() => {
  // Widgets render when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  api = new FakeApi();
  bridge = new FakeBridge();
  view = new View();
  cells = new FakeCells();
  opener.openFile.mockClear();
  section = new PipelineSection({
    api,
    bridge,
    cells,
    view,
    opener,
    translator: nullTranslator
  });
  return () => section.dispose();
});

async function show(words: string): Promise<string> {
  if (!section.isAttached) {
    Widget.attach(section, document.body);
  }
  await vi.waitFor(() => {
    MessageLoop.flush();
    const text = section.node.textContent ?? '';
    // Not toContain: its message would give all of a text of many pages.
    expect(text.includes(words), words).toBe(true);
  }, 10_000);
  return section.node.textContent ?? '';
}

function find(name: string): HTMLButtonElement {
  const found = [...section.node.querySelectorAll('button')].find(
    button => button.textContent === name
  );
  expect(found, name).toBeDefined();
  return found as HTMLButtonElement;
}

/** Choose or type as a person does; React listens to the setter. */
function fill(label: string, text: string): void {
  const field = section.node.querySelector<
    HTMLInputElement | HTMLSelectElement
  >(`[aria-label="${label}"]`);
  const owner =
    field instanceof HTMLSelectElement ? HTMLSelectElement : HTMLInputElement;
  const setter = Object.getOwnPropertyDescriptor(owner.prototype, 'value')?.set;
  setter?.call(field, text);
  field?.dispatchEvent(
    new Event(field instanceof HTMLSelectElement ? 'change' : 'input', {
      bubbles: true
    })
  );
}

const makeDone = (name: string, changes: Partial<IJobStep> = {}): IJobStep => ({
  name,
  status: 'succeeded',
  cells_done: 0,
  cells_total: 0,
  duration_s: 1.5,
  message: '',
  notebook: null,
  ...changes
});

const steps = [
  makeStep('load', {
    foreseen: 'cached',
    reason: 'as made on 2026-11-22T14:24:41+00:00',
    leaves: [{ names: ['rows', evil], size_bytes: 2000 }]
  }),
  makeStep('train', { foreseen: 'depends', after: ['load'] })
];
const edges = [{ source: 'load', target: 'train', names: ['rows', evil] }];

describe('PipelineSection', () => {
  it('shows steps, what crosses and why, as text', async () => {
    api.pipeline = makePipeline(steps, { edges });
    api.dependencies = [
      {
        source: 'load',
        target: 'train',
        name: evil,
        written: { cell: 1, line: 2, text: 'x', rule: 'r', is_sure: false },
        used: { cell: 4, line: 1, text: 'y', rule: 'r', is_sure: true }
      }
    ];
    const text = await show('gives rows, <img src=x onerror=alert(1)>2 kB');
    expect(text).toContain('Cached · cell 2');
    expect(text).toContain('May run');
    section.node
      .querySelectorAll<HTMLElement>('.jp-MLOpsRun-summary')[1]
      ?.click();
    await show('cell 5, line 1');
    expect(section.node.textContent).toContain('perhaps');
    expect(section.node.textContent).toContain('2 kB together with rows');
    expect(section.node.querySelector('img')).toBeNull();
    find('cell 5, line 1').click();
    find('Go to cell').click();
    expect(bridge.done).toEqual(['go to 4 null', 'go to 1 id-train']);
    section.node.querySelector<HTMLElement>('.jp-MLOpsRun-summary')?.click();
    await show('Next time: from the cache, as made on Nov 22, 2026');
  });

  it('saves and runs from a step, shows it live, and cancels', async () => {
    api.pipeline = makePipeline(steps, {
      parameters: [{ name: 'C', type: 'float', default: '0.5', help: '' }]
    });
    bridge.isDirty = true;
    await show('changes that are not saved');
    section.node
      .querySelectorAll<HTMLElement>('.jp-MLOpsRun-summary')[1]
      ?.click();
    await show('Run from here');
    const field = section.node.querySelector<HTMLInputElement>('label input');
    field?.setAttribute('aria-label', 'C');
    fill('C', '2');
    const running = makeDone('train', {
      status: 'running',
      cells_done: 1,
      cells_total: 3
    });
    api.job = makeJob({ steps: [makeDone('load'), running], notices: [evil] });
    await vi.waitFor(() => {
      find('Run from here').click();
      expect(api.done).toHaveLength(1);
    });
    expect(bridge.done).toEqual(['save']);
    expect(api.done).toEqual(['run {"start_at":"train","params":{"C":"2"}}']);
    const text = await show('Running · 1 of 3');
    expect(text).toContain('1 notice');
    expect(find('Run').disabled).toBe(true);
    find('Cancel').click();
    await vi.waitFor(() => expect(api.done).toHaveLength(2));

    const asked = vi.spyOn(api, 'getPipeline');
    api.job = makeJob({
      status: 'failed',
      ended_at: api.job.now,
      run_id: 'r',
      verification: 'not verified: x differs',
      verdict: 'not verified',
      steps: [
        makeDone('load', { notebook: 'a-run/01-load.ipynb' }),
        makeDone('train', { status: 'failed', message: evil })
      ]
    });
    await show('Failed · 2\u00a0min');
    await show('x differs');
    // What a run would do next hangs on what this one did.
    expect(asked).toHaveBeenCalled();
    find('Open run').click();
    expect(opener.openRunById).toHaveBeenCalledWith('r', 'a.ipynb');
    expect(section.node.textContent).toContain(evil);
    expect(section.node.querySelector('img')).toBeNull();
    section.node.querySelector<HTMLElement>('.jp-MLOpsRun-summary')?.click();
    await show('Open executed');
    find('Open executed').click();
    expect(opener.openFile).toHaveBeenCalledWith('a-run/01-load.ipynb');
    // After an edit it counts what the next run would do.
    bridge.saved.emit();
    await show('Cached · cell 2');
    expect(section.node.textContent).toContain('May run · cell 2');
  });

  it('jumps to the cell that is in the way', async () => {
    api.pipeline = makePipeline([], {
      problem: {
        error: 'PipelineError',
        message: 'it belongs to no step',
        hint: 'Tag it',
        cell: 7
      }
    });
    const text = await show('it belongs to no step');
    expect(text).not.toContain('This notebook has no steps yet');
    find('Go to cell 8').click();
    expect(bridge.done).toEqual(['go to 7 null']);
    expect(find('Run').disabled).toBe(true);
    // The file was written, perhaps with what was in the way out of it.
    api.pipeline = makePipeline(steps);
    bridge.saved.emit();
    await show('load');
  });

  it('proposes steps for a notebook without any, and writes them', async () => {
    api.pipeline = makePipeline([makeStep('main')], { is_tagged: false });
    await show('This notebook has no steps yet');
    api.failure = new RequestError('input', 'no code', 'write some');
    find('Propose steps').click();
    await show('no code write some');
    api.failure = null;
    api.suggestions = [{ cell: 2, tag: 'step:load', reason: 'a heading' }];
    find('Propose steps').click();
    await show('a heading');
    bridge.done.length = 0;
    find('Write these tags and save').click();
    await vi.waitFor(() =>
      expect(bridge.done).toEqual(['tag 2 step:load', 'save'])
    );
  });

  it('proposes nothing that cannot be written', async () => {
    api.pipeline = makePipeline([makeStep('main')], { is_tagged: false });
    bridge.isReadOnly = true;
    const text = await show('It runs as one step.');
    expect(text).not.toContain('Propose steps');
  });

  it('offers nothing for another language', async () => {
    cells.language = 'r';
    const text = await show('Only Python notebooks can run as pipelines.');
    expect(text).not.toContain('Verify');
  });

  it('tags the active cell, and keeps tags that are not ours', async () => {
    api.pipeline = makePipeline(steps);
    await show('No cell is active');
    const cell = {
      id: 'c',
      index: 3,
      isCode: true,
      firstLine: '  model.fit(X)',
      tags: ['mine'],
      hasDirectives: false
    };
    bridge.activeCell = cell;
    bridge.changed.emit();
    await show('Active cell 4model.fit(X)');
    fill('What the cell is for', 'step');
    await show('Tag and save');
    await vi.waitFor(() => {
      fill('Name of the step', '1st');
      MessageLoop.flush();
      expect(section.node.textContent).toContain('is no name of a step');
    });
    expect(find('Tag and save').disabled).toBe(true);
    fill('Name of the step', 'evaluate');
    fill('Also waits for', 'load, train');
    await vi.waitFor(() => expect(find('Tag and save').disabled).toBe(false));
    find('Tag and save').click();
    await vi.waitFor(() =>
      expect(bridge.done).toEqual([
        'tags mine,step:evaluate,after:load,after:train',
        'save'
      ])
    );
    for (const [changes, words] of [
      [{ isCode: false }, 'Only code cells'],
      [{ hasDirectives: true }, 'Comments in this cell']
    ] as const) {
      bridge.activeCell = { ...cell, ...changes };
      bridge.changed.emit();
      await show(words);
    }
    bridge.isReadOnly = true;
    bridge.changed.emit();
    await show('cannot be written');
  });

  it('says what was written, and what was refused', async () => {
    api.pipeline = makePipeline(steps);
    await show('load');
    find('Export script').click();
    await show('Wrote a.py');
    find('Open').click();
    expect(opener.openFile).toHaveBeenCalledWith('a.py');
    vi.spyOn(api, 'exportScript').mockRejectedValue(
      new RequestError('input', 'a.py is not ours', 'Move it')
    );
    find('Export script').click();
    await show('a.py is not ours Move it');
    find('Dismiss').click();
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(section.node.textContent).not.toContain('not ours');
    });
  });

  it('forgets all when another notebook comes into view', async () => {
    api.pipeline = makePipeline(steps);
    api.job = makeJob({ status: 'finished' });
    await show('Finished');
    api.pipeline = makePipeline([makeStep('other')]);
    api.job = null;
    view.notebook = 'b.ipynb';
    view.notebookChanged.emit();
    await show('other');
    expect(section.node.textContent).not.toContain('Finished');
  });
});

describe('layoutLanes', () => {
  it('keeps a chain on one lane', () => {
    const rows = layoutLanes(
      ['a', 'b', 'c'],
      [
        ['a', 'b'],
        ['b', 'c']
      ]
    );
    expect(rows.map(row => row.lane)).toEqual([0, 0, 0]);
    expect(rows[1]).toEqual({ lane: 0, through: [], into: [0], hasTail: true });
  });

  it('gives branches lanes of their own and joins them again', () => {
    const rows = layoutLanes(
      ['load', 'left', 'right', 'join'],
      [
        ['load', 'left'],
        ['load', 'right'],
        ['left', 'join'],
        ['right', 'join'],
        ['nobody', 'join'],
        ['join', 'load']
      ]
    );
    expect(rows.map(row => row.lane)).toEqual([0, 1, 0, 0]);
    expect(rows[1]?.through).toEqual([0]);
    expect(rows[3]).toEqual({
      lane: 0,
      through: [],
      into: [0, 1],
      hasTail: false
    });
  });

  it('draws a wide fan within its room', () => {
    const names = ['root', ...Array.from({ length: 30 }, (_, i) => `s${i}`)];
    const links = names
      .slice(1)
      .flatMap(name => [['root', name] as const, [name, 'end'] as const]);
    const rows = layoutLanes([...names, 'end'], links);
    expect(Math.max(...rows.map(row => row.lane))).toBe(MOST_LANES - 1);
  });
});

describe('readRole and writeRole', () => {
  it.each([
    [['step:a', 'mine'], { kind: 'step', step: 'a', after: [] }],
    [
      ['block:a', 'prev:b', 'after:c'],
      { kind: 'step', step: 'a', after: ['b', 'c'] }
    ],
    [['skip-execution'], { kind: 'skip', step: '', after: [] }],
    [['constructor'], { kind: 'none', step: '', after: [] }],
    [[], { kind: 'none', step: '', after: [] }]
  ])('reads %o', (tags, role) => {
    expect(readRole(tags)).toEqual(role);
  });

  it('leaves a notebook as it was where nothing changed', () => {
    const tags = ['mine', 'parameters', 'step:a', 'after:b', 'after:c'];
    expect(writeRole(tags, readRole(tags))).toEqual(tags);
    expect(writeRole(tags, { kind: 'none', step: '', after: [] })).toEqual([
      'mine'
    ]);
  });
});
