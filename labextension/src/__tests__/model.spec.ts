import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FIRST_QUERY, MLOpsModel } from '../model';
import { RequestError } from '../request';
import { FakeApi, makePage, makeRun, NOW } from './fixtures';

describe('MLOpsModel', () => {
  let api: FakeApi;
  let model: MLOpsModel;

  beforeEach(() => {
    vi.useFakeTimers();
    api = new FakeApi();
    model = new MLOpsModel({ api });
  });

  afterEach(() => {
    model.dispose();
    vi.useRealTimers();
  });

  const pass = (milliseconds: number) =>
    vi.advanceTimersByTimeAsync(milliseconds);

  async function look(path = 'a.ipynb'): Promise<void> {
    model.setNotebook(path);
    model.visible = true;
    await pass(0);
  }

  it('asks nothing while nobody looks', async () => {
    model.setNotebook('a.ipynb');
    model.busy = true;
    await model.refresh();
    await pass(60000);
    expect(api.asked).toEqual([]);
    expect(api.statusCount).toBe(0);
  });

  it('asks nothing while no notebook is open', async () => {
    model.visible = true;
    await pass(60000);
    expect(api.asked).toEqual([]);
  });

  it('asks at once when somebody looks, and stops when not', async () => {
    api.page = makePage([makeRun()]);
    await look();
    expect(api.asked).toEqual([
      { ...FIRST_QUERY, notebook: 'a.ipynb', limit: 25, offset: 0 }
    ]);
    expect(model.page?.runs[0]?.name).toBe('baseline');
    model.visible = false;
    await pass(60000);
    expect(api.asked).toHaveLength(1);
    expect(model.page).not.toBeNull();
    model.visible = true;
    await pass(0);
    expect(api.asked).toHaveLength(2);
  });

  it('asks each five seconds in quiet times', async () => {
    api.page = makePage([makeRun()]);
    await look();
    expect(model.isLive).toBe(false);
    await pass(15500);
    expect(api.asked).toHaveLength(4);
  });

  it('asks each second while a run is running', async () => {
    api.page = makePage([makeRun({ status: 'running', duration_s: null })]);
    await look();
    expect(model.isLive).toBe(true);
    await pass(5500);
    expect(api.asked).toHaveLength(6);
    api.page = makePage([makeRun()]);
    await pass(1000);
    expect(model.isLive).toBe(false);
  });

  it('asks each second while the kernel is busy, and once when it is done', async () => {
    await look();
    model.busy = true;
    await pass(500);
    expect(api.asked).toHaveLength(2);
    await pass(2000);
    expect(api.asked).toHaveLength(4);
    model.busy = false;
    await pass(500);
    expect(api.asked).toHaveLength(5);
    await pass(4000);
    expect(api.asked).toHaveLength(5);
  });

  it('is not driven by a kernel that runs many short cells', async () => {
    await look();
    for (let cell = 0; cell < 100; cell++) {
      model.busy = true;
      await pass(5);
      model.busy = false;
      await pass(5);
    }
    expect(api.asked.length).toBeLessThanOrEqual(6);
  });

  it('asks the version once', async () => {
    await look();
    await pass(30000);
    expect(api.statusCount).toBe(1);
    expect(model.foreignVersion).toBeNull();
  });

  it.each([
    ['9.9.9', '9.9.9'],
    ['0.1.7', null],
    ['0.0.0', null]
  ])('judges a server of version %s', async (version, foreign) => {
    api.version = version;
    await look();
    expect(model.foreignVersion).toBe(foreign);
  });

  it('keeps the last good page in trouble and waits longer each time', async () => {
    api.page = makePage([makeRun()]);
    await look();
    api.failure = new RequestError('network', 'gone');
    await pass(5000);
    expect(model.problem?.kind).toBe('network');
    expect(model.page?.runs).toHaveLength(1);
    const before = api.statusCount;
    await pass(120000);
    expect(api.statusCount - before).toBeLessThan(16);
    api.failure = null;
    await model.refresh();
    await pass(0);
    expect(model.problem).toBeNull();
  });

  it('goes on by itself when the server is back, and asks its version again', async () => {
    await look();
    api.failure = new RequestError('network');
    await pass(5000);
    expect(model.problem).not.toBeNull();
    expect(model.foreignVersion).toBeNull();
    api.failure = null;
    api.version = '9.9.9';
    await pass(20000);
    expect(model.problem).toBeNull();
    expect(model.foreignVersion).toBe('9.9.9');
  });

  it('shows a failure of any kind', async () => {
    api.failure = new Error('a bug');
    await look();
    expect(model.problem).toMatchObject({
      kind: 'garbage',
      message: 'Error: a bug'
    });
  });

  it('drops the answer about a notebook that is out of view', async () => {
    let answer: () => void = () => {};
    const slow = new Promise<void>(resolve => {
      answer = resolve;
    });
    const page = makePage([makeRun({ name: 'of-a' })]);
    vi.spyOn(api, 'listRuns').mockImplementationOnce(() =>
      slow.then(() => page)
    );
    await look('a.ipynb');
    model.setNotebook('b.ipynb');
    await pass(0);
    answer();
    await pass(0);
    expect(api.asked.map(options => options.notebook)).toEqual(['b.ipynb']);
    expect(model.page?.runs).toEqual([]);
  });

  it('forgets page and trouble of the notebook before', async () => {
    api.page = makePage([makeRun()]);
    await look();
    model.turnTo(25);
    await pass(0);
    expect(api.asked.at(-1)?.offset).toBe(25);
    model.setNotebook('b.ipynb');
    expect(model.page).toBeNull();
    await pass(0);
    expect(api.asked.at(-1)).toMatchObject({ notebook: 'b.ipynb', offset: 0 });
    model.setNotebook(null);
    const count = api.asked.length;
    await pass(60000);
    expect(api.asked).toHaveLength(count);
  });

  it('never turns before the first page', async () => {
    await look();
    model.turnTo(-25);
    await pass(0);
    expect(api.asked.at(-1)?.offset).toBe(0);
  });

  it("tells the time by the server's clock", async () => {
    vi.setSystemTime(Date.parse('2001-01-01T00:00:00Z'));
    await look();
    await pass(2000);
    expect(model.now).toBe(Date.parse(NOW) + 2000);
  });

  it('says each change and is quiet after its end', async () => {
    let count = 0;
    model.stateChanged.connect(() => {
      count++;
    });
    await look();
    expect(count).toBe(2);
    model.dispose();
    model.dispose();
    model.busy = true;
    await pass(60000);
    expect(count).toBe(2);
    expect(api.asked).toHaveLength(1);
  });

  it('asks for what is sought, from the first page on', async () => {
    api.page = makePage([makeRun()]);
    await look();
    model.turnTo(25);
    await pass(0);
    model.setQuery({ filter: 'metrics.acc > 1', orderBy: 'name ASC' });
    model.setQuery({ scope: 'store' });
    await pass(0);
    expect(api.asked[api.asked.length - 1]).toEqual({
      filter: 'metrics.acc > 1',
      groupBy: null,
      orderBy: 'name ASC',
      scope: 'store',
      notebook: 'a.ipynb',
      limit: 25,
      offset: 0
    });
  });

  it('keeps the list where a filter cannot be read, and says why', async () => {
    api.page = makePage([makeRun()]);
    await look();
    api.failure = new RequestError('input', 'filter is wrong', 'so');
    model.setQuery({ filter: 'metrics.acc >' });
    await pass(0);
    expect(model.filterProblem?.message).toBe('filter is wrong');
    expect(model.problem).toBeNull();
    expect(model.page?.runs).toHaveLength(1);
    api.failure = null;
    model.setQuery({ filter: '' });
    expect(model.filterProblem).toBeNull();
    await pass(0);
    expect(model.filterProblem).toBeNull();
  });

  it('forgets the query with the notebook, and says that another came', async () => {
    await look();
    const seen: (string | null)[] = [];
    model.notebookChanged.connect(({ notebook }) => seen.push(notebook));
    model.setQuery({ filter: 'x = 1' });
    model.setNotebook('b.ipynb');
    expect(model.query).toEqual(FIRST_QUERY);
    expect(seen).toEqual(['b.ipynb']);
  });
});
