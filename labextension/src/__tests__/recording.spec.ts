import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { INotebookQuestion } from '../api';
import { KernelError } from '../notebookcells';
import type { IExecution, INotebookNews } from '../notebookwords';
import { NotebookRecording } from '../recording';
import { Held, rest } from './acting';
import { FakeApi, FakeCells, NOW } from './fixtures';

const makeExecution = (
  index: number,
  status: IExecution['status'] = 'ok'
): IExecution => ({
  ...{ index, cell_id: `c${index}`, execution_count: index, status },
  ...{ source: `x${index}`, reads: [], writes: [], changes: [] },
  is_repeat: false
});

const makeSession = (session_id: string) => ({
  ...{ session_id, started_at: NOW, is_live: true, is_recording: true }
});

/** A server that keeps one session, and gives it in parts. */
class FakeServer {
  session = 's1';
  executions: IExecution[] = [];
  atOnce = 100;
  readonly asked: INotebookQuestion[] = [];

  readonly answer = (question: INotebookQuestion): Promise<INotebookNews> => {
    this.asked.push(question);
    // What is known of another session counts for nothing.
    const from = question.session === this.session ? question.since : 0;
    return Promise.resolve({
      session: this.session ? makeSession(this.session) : null,
      executions: this.executions.slice(from, from + this.atOnce),
      ...{ from, count: this.executions.length, runs: [], now: NOW }
    });
  };
}

let server: FakeServer;
let cells: FakeCells;
let recording: NotebookRecording;
let notebook: string | null;
const onChanged = vi.fn(() => Promise.resolve());

beforeEach(() => {
  server = new FakeServer();
  cells = new FakeCells();
  notebook = 'a.ipynb';
  onChanged.mockClear();
  const api = Object.assign(new FakeApi(), { getNotebook: server.answer });
  recording = new NotebookRecording({
    api,
    cells,
    getNotebook: () => notebook,
    onChanged
  });
  return () => recording.dispose();
});

const count = async () => (await recording.load()).executions.length;
const since = () => server.asked.map(question => question.since);

describe('reading what is new of a notebook', () => {
  it('goes on where it was, and asks again for what still runs', async () => {
    server.executions = [makeExecution(0), makeExecution(1, 'running')];
    expect(await count()).toBe(2);
    server.executions = [0, 1, 2].map(index => makeExecution(index));
    const { executions } = await recording.load();
    expect(executions.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    await recording.load();
    expect(since()).toEqual([0, 1, 3]);
  });

  it('reads a long session part by part, in one look', async () => {
    server.executions = Array.from({ length: 950 }, (_, at) =>
      makeExecution(at)
    );
    expect(await count()).toBe(950);
    expect(since()).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  });

  it('asks no more than so often in one look, and goes on at the next', async () => {
    server.atOnce = 1;
    server.executions = Array.from({ length: 60 }, (_, at) =>
      makeExecution(at)
    );
    expect(await count()).toBe(40);
    expect(await count()).toBe(60);
  });

  it('begins anew with a kernel that was started again', async () => {
    server.executions = [0, 1, 2].map(index => makeExecution(index));
    await recording.load();
    server.session = 's2';
    server.executions = [makeExecution(0)];
    const { session, executions } = await recording.load();
    expect(session?.session_id).toBe('s2');
    expect(executions).toHaveLength(1);
    await recording.load();
    expect(server.asked.pop()).toMatchObject({ session: 's2', since: 1 });
  });

  it('begins anew with another kernel, and without one', async () => {
    server.executions = [makeExecution(0)];
    await recording.load();
    cells.kernelId = 'other';
    await recording.load();
    cells.kernelId = null;
    await recording.load();
    const kernels = server.asked.map(({ kernel }) => kernel);
    expect(kernels).toEqual(['k', 'other', '']);
    expect(since()).toEqual([0, 0, 0]);
    notebook = null;
    server.session = '';
    server.executions = [];
    expect((await recording.load()).session).toBeNull();
  });

  it('keeps nothing of a notebook that has left meanwhile', async () => {
    server.executions = [makeExecution(0)];
    const late = recording.load();
    recording.clear();
    await late;
    await recording.load();
    expect(since()).toEqual([0, 0]);
  });
});

describe('the switch', () => {
  let held: Held<undefined>;

  beforeEach(() => {
    held = new Held();
    cells.execute = async code => {
      cells.done.push(code);
      await held.ask();
    };
  });

  it('is turned once, however often it is pressed', async () => {
    const turned = recording.turn(true);
    await recording.turn(false);
    expect(recording.isSwitching).toBe(true);
    expect(cells.done).toHaveLength(1);
    // It leaves no name behind, and says what is wanted.
    expect(cells.done[0]).toMatch(/^__import__\(.*\.set_recording\(True\)$/);
    held.open[0]?.resolve(undefined);
    await turned;
    expect(recording.isSwitching).toBe(false);
    expect(onChanged).toHaveBeenCalledOnce();
  });

  it.each([
    [new KernelError('ModuleNotFoundError', 'no mlops_nb'), 'absent'],
    [new KernelError('ImportError', 'broken'), 'failed'],
    [new KernelError('NoKernel', ''), 'failed'],
    [new Error('Canceled future'), 'failed']
  ])('says why it was not turned: %s', async (failure, kind) => {
    const turned = recording.turn(false);
    held.open[0]?.reject(failure);
    await turned;
    expect(recording.problem).toEqual({ kind, message: failure.message });
    // The next try takes back what was said.
    const again = recording.turn(false);
    expect(recording.problem).toBeNull();
    held.open[1]?.resolve(undefined);
    await again;
  });

  it('tells another notebook nothing of this one', async () => {
    const told = vi.fn();
    recording.stateChanged.connect(told);
    const turned = recording.turn(true);
    expect(told).toHaveBeenCalledOnce();
    recording.clear();
    expect(recording.isSwitching).toBe(false);
    // The kernel of the other notebook can be asked at once.
    const other = recording.turn(true);
    held.open[0]?.reject(new Error('late'));
    await turned;
    expect([recording.problem, recording.isSwitching]).toEqual([null, true]);
    held.open[1]?.resolve(undefined);
    await other;
    expect(onChanged).toHaveBeenCalledOnce();
  });

  it('tells nobody after its end', async () => {
    const told = vi.fn();
    const turned = recording.turn(true);
    recording.stateChanged.connect(told);
    recording.dispose();
    held.open[0]?.resolve(undefined);
    await turned;
    await rest();
    expect(told).not.toHaveBeenCalled();
    expect(onChanged).not.toHaveBeenCalled();
  });
});
