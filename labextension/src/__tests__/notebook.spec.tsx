import type { INotebookTracker } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { IApi } from '../api';
import { KernelError, NotebookCells } from '../notebookcells';
import type { IExecution, INotebookNews, ISession } from '../notebookwords';
import { NotebookRecording } from '../recording';
import { RequestError } from '../request';
import { NotebookSection } from '../sections/notebook';
import { FakeApi, FakeBridge, FakeCells, makeRun, NOW } from './fixtures';

const SESSION: ISession = {
  session_id: 's',
  started_at: NOW,
  is_live: true,
  is_recording: true
};

const makeExecution = (changes: Partial<IExecution>): IExecution => ({
  index: 0,
  cell_id: 'a',
  execution_count: 1,
  status: 'ok',
  source: 'x = 1',
  reads: [],
  writes: ['x'],
  changes: [],
  is_repeat: false,
  ...changes
});

const makeNews = (changes: Partial<INotebookNews>): INotebookNews => ({
  session: SESSION,
  executions: [],
  from: 0,
  count: changes.executions?.length ?? 0,
  runs: [],
  now: NOW,
  ...changes
});

describe('NotebookRecording', () => {
  it('asks only for what is new, and anew in another session', async () => {
    const api = new FakeApi();
    const cells = new FakeCells();
    const ask = vi.spyOn(api as IApi, 'getNotebook');
    const recording = new NotebookRecording({
      api,
      cells,
      getNotebook: () => 'a.ipynb',
      onChanged: () => Promise.resolve()
    });
    const first = makeExecution({});
    const second = makeExecution({ index: 1, status: 'running' });
    ask.mockResolvedValueOnce(makeNews({ executions: [first], count: 2 }));
    ask.mockResolvedValueOnce(
      makeNews({ executions: [second], from: 1, count: 2 })
    );
    expect((await recording.load()).executions).toEqual([first, second]);
    expect(
      ask.mock.calls.map(([{ since, session }]) => [since, session])
    ).toEqual([
      [0, ''],
      [1, 's']
    ]);
    // The one that was running is asked for again.
    const ended = makeExecution({ index: 1 });
    ask.mockResolvedValueOnce(
      makeNews({ executions: [ended], from: 1, count: 2 })
    );
    const known = (await recording.load()).executions;
    expect(known).toEqual([first, ended]);
    ask.mockResolvedValueOnce(makeNews({ from: 2, count: 2 }));
    expect((await recording.load()).executions).toBe(known);
    const other = { ...SESSION, session_id: 't' };
    ask.mockResolvedValueOnce(
      makeNews({ session: other, executions: [first] })
    );
    expect((await recording.load()).executions).toEqual([first]);
    cells.kernelId = 'another';
    ask.mockResolvedValueOnce(makeNews({ session: null }));
    expect((await recording.load()).executions).toEqual([]);
    expect(ask.mock.lastCall?.[0]).toMatchObject({ since: 0, session: '' });
  });
});

let api: FakeApi;
let cells: FakeCells;
let bridge: FakeBridge;
let section: NotebookSection;
const onOpen = vi.fn();
const view = {
  notebook: 'a.ipynb' as string | null,
  notebookChanged: new Signal<object, void>({})
};

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  api = new FakeApi();
  cells = new FakeCells();
  bridge = new FakeBridge();
  view.notebook = 'a.ipynb';
  section = new NotebookSection({
    ...{ api, bridge, cells, view, onOpen },
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

const find = (selector: string) =>
  section.node.querySelector<HTMLButtonElement>(selector);

describe('NotebookSection', () => {
  it('switches recording on and off in the kernel', async () => {
    Widget.attach(section, document.body);
    expect(await read()).toContain('Switch it on');
    expect(find('[role=switch]')?.getAttribute('aria-checked')).toBe('false');
    api.news = makeNews({});
    find('[role=switch]')?.click();
    expect(await read()).toContain('without being asked');
    expect(cells.done).toEqual([
      "__import__('mlops_nb.kernel.switch', fromlist=['']).set_recording(True)"
    ]);
    api.news = makeNews({ session: { ...SESSION, is_recording: false } });
    find('[role=switch]')?.click();
    expect(await read()).toContain('only what you log by hand');
    expect(cells.done[1]).toContain('set_recording(False)');
  });

  it('says why the switch was not turned', async () => {
    Widget.attach(section, document.body);
    await read();
    cells.failure = new KernelError('ModuleNotFoundError', 'No module');
    find('[role=switch]')?.click();
    expect(await read()).toContain('%pip install mlops-nb');
    cells.failure = new KernelError('StoreError', 'is <b>full</b>');
    find('[role=switch]')?.click();
    expect(await read()).toContain('is <b>full</b>');
    expect(section.node.querySelector('b')).toBeNull();
    cells.kernelId = null;
    cells.changed.emit();
    expect(await read()).toContain('has no kernel');
    expect(find('[role=switch]')?.disabled).toBe(true);
  });

  it('waits for a cell that runs', async () => {
    Widget.attach(section, document.body);
    await read();
    let end: () => void = () => {};
    cells.isBusy = true;
    vi.spyOn(cells, 'execute').mockImplementationOnce(
      () => new Promise<void>(resolve => (end = resolve))
    );
    find('[role=switch]')?.click();
    expect(await read()).toContain('Waits until the running cell ends');
    end();
    expect(await read()).not.toContain('Waits');
  });

  it('lists cells to run again, and leads to them', async () => {
    cells.cells = [
      { index: 0, id: 'a', source: 'x = 2' },
      { index: 3, id: 'b', source: '\nprint(x)  # <script>' }
    ];
    api.news = makeNews({
      executions: [
        makeExecution({}),
        makeExecution({
          index: 1,
          cell_id: 'b',
          execution_count: 2,
          source: 'print(x)  # <script>',
          reads: ['x'],
          writes: []
        })
      ]
    });
    Widget.attach(section, document.body);
    const text = await read();
    expect(text).toContain('It was edited since it ran.');
    expect(text).toContain('Cell 4 [2] print(x)  # <script>');
    expect(text).toContain('“x” comes from cell 1, which should run again.');
    section.node
      .querySelectorAll<HTMLButtonElement>('.jp-MLOpsSuspect-cell')[1]
      ?.click();
    expect(bridge.done).toEqual(['go to 3 b']);
    cells.cells = cells.cells.map(cell =>
      cell.id === 'a' ? { ...cell, source: 'x = 1' } : cell
    );
    cells.changed.emit();
    expect(await read()).toContain('None: what has run');
  });

  it('shows a run while it grows, and many cells in parts', async () => {
    const run = makeRun({ name: '<i>live</i>', status: 'running' });
    cells.cells = Array.from({ length: 30 }, (_, index) => ({
      index,
      id: `${index}`,
      source: 'y'.repeat(10_000)
    }));
    api.news = makeNews({
      runs: [run],
      executions: cells.cells.map(({ index, id }) =>
        makeExecution({ index, cell_id: id })
      )
    });
    Widget.attach(section, document.body);
    const text = await read();
    expect(text).toContain('Under way');
    expect(text).toContain('<i>live</i>');
    expect(find('svg[role=img]')?.getAttribute('aria-label')).toContain(
      'accuracy over steps'
    );
    expect(section.node.querySelectorAll('.jp-MLOpsSuspect')).toHaveLength(20);
    expect(text).toContain('Show more of the 30 cells');
    find('.jp-MLOpsLive-name')?.click();
    expect(onOpen).toHaveBeenCalledWith(run, 'a.ipynb');
  });

  it('says what is no Python, what is broken, and what is not open', async () => {
    cells.language = 'r';
    Widget.attach(section, document.body);
    expect(await read()).toContain('does not run Python');
    expect(find('[role=switch]')).toBeNull();
    api.failure = new RequestError('timeout');
    cells.ran.emit();
    expect(await read()).toContain('takes too long');
    view.notebook = null;
    view.notebookChanged.emit();
    expect(await read()).toContain('No notebook is open');
  });
});

describe('NotebookCells', () => {
  it('follows the notebook and executes out of its sight', async () => {
    const signal = () => new Signal<object, void>({});
    const kernel = {
      id: 'k',
      status: 'busy',
      requestExecute: vi.fn(() => ({
        done: Promise.resolve({ content: { status: 'ok' } })
      }))
    };
    const makeCell = (id: string, type: string) => ({
      model: { id, type, sharedModel: { getSource: () => `# ${id}` } }
    });
    const panel = {
      isDisposed: false,
      content: {
        widgets: [makeCell('a', 'markdown'), makeCell('b', 'code')],
        modelContentChanged: signal()
      },
      model: { defaultKernelLanguage: 'Python' },
      sessionContext: {
        session: { kernel },
        statusChanged: signal(),
        kernelChanged: signal()
      }
    };
    const tracker = {
      currentWidget: null as object | null,
      currentChanged: signal()
    };
    const found = new NotebookCells(tracker as unknown as INotebookTracker);
    expect([found.cells, found.kernelId, found.language]).toEqual([
      [],
      null,
      ''
    ]);
    await expect(found.execute('1')).rejects.toThrow();
    const heard: string[] = [];
    found.changed.connect(() => heard.push('changed'));
    found.ran.connect(() => heard.push('ran'));
    tracker.currentWidget = panel;
    tracker.currentChanged.emit();
    expect(found.cells).toEqual([{ index: 1, id: 'b', source: '# b' }]);
    expect([found.kernelId, found.language, found.isBusy]).toEqual([
      'k',
      'python',
      true
    ]);
    await found.execute('1 + 1');
    expect(kernel.requestExecute).toHaveBeenCalledWith(
      expect.objectContaining({ silent: true, store_history: false })
    );
    for (const [content, words] of [
      [{ status: 'error', ename: 'A', evalue: 'why' }, 'why'],
      [{ status: 'abort' }, '']
    ] as const) {
      kernel.requestExecute.mockReturnValueOnce({
        done: Promise.resolve({ content })
      });
      await expect(found.execute('1')).rejects.toThrow(words);
    }
    expect(heard).toEqual(['changed']);
    panel.content.modelContentChanged.emit();
    panel.sessionContext.statusChanged.emit();
    await vi.waitFor(() =>
      expect([...heard].sort()).toEqual(['changed', 'changed', 'ran'])
    );
    tracker.currentWidget = null;
    tracker.currentChanged.emit();
    expect(found.kernelId).toBeNull();
    found.dispose();
    expect(found.isDisposed).toBe(true);
  });
});
