import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Loader } from '../loader';
import { MLOpsModel } from '../model';
import { RequestError } from '../request';
import type { IRunsPage } from '../tokens';
import { Held } from './acting';
import { FakeApi, makePage, makeRun } from './fixtures';

const pass = (milliseconds: number) =>
  vi.advanceTimersByTimeAsync(milliseconds);

/** Show the tab to the person, or hide it from them. */
function showTab(isShown: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(!isShown);
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(
    isShown ? 'visible' : 'hidden'
  );
  document.dispatchEvent(new Event('visibilitychange'));
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('Loader', () => {
  let held: Held<string>;
  let isReady: boolean;
  let loader: Loader<string>;

  beforeEach(() => {
    held = new Held();
    isReady = true;
    loader = new Loader<string>({
      ask: held.ask,
      isLive: value => value.startsWith('live'),
      isReady: () => isReady,
      interval: value => (value === 'live fast' ? 100 : 1000)
    });
    return () => loader.dispose();
  });

  const answer = async (value: string) => {
    held.open[held.open.length - 1]?.resolve(value);
    await pass(0);
  };
  const count = () => held.open.length;

  it('asks nothing before somebody looks, and once for one look', async () => {
    await loader.refresh();
    await pass(10_000);
    expect(count()).toBe(0);
    loader.visible = true;
    loader.visible = true;
    await pass(0);
    expect(count()).toBe(1);
    await answer('still');
    await pass(60_000);
    expect([count(), loader.value]).toEqual([1, 'still']);
  });

  it('asks at the pace that the answer says', async () => {
    loader.visible = true;
    await pass(0);
    await answer('live');
    await pass(999);
    expect(count()).toBe(1);
    await pass(1);
    expect(count()).toBe(2);
    await answer('live fast');
    await pass(100);
    expect(count()).toBe(3);
    await answer('still');
    await pass(60_000);
    expect(count()).toBe(3);
  });

  it('asks nothing while it is not seen, and at once when it is', async () => {
    loader.visible = true;
    await pass(0);
    await answer('live');
    loader.visible = false;
    await pass(60_000);
    expect(count()).toBe(1);
    loader.visible = true;
    await pass(0);
    expect(count()).toBe(2);
    // What is known stays in view meanwhile.
    expect(loader.value).toBe('live');
  });

  it('keeps an answer that comes while it is not seen', async () => {
    loader.visible = true;
    await pass(0);
    loader.visible = false;
    await answer('live');
    await pass(60_000);
    expect([loader.value, count()]).toEqual(['live', 1]);
  });

  it('asks a hidden tab nothing, and asks when it is shown again', async () => {
    loader.visible = true;
    await pass(0);
    await answer('live');
    showTab(false);
    await pass(60_000);
    expect(count()).toBe(1);
    showTab(true);
    await pass(0);
    expect(count()).toBe(2);
  });

  it('drops the late answer about what is out of view', async () => {
    loader.visible = true;
    await pass(0);
    loader.reset();
    await pass(0);
    expect(count()).toBe(2);
    held.open[1]?.resolve('new');
    await pass(0);
    held.open[0]?.resolve('old');
    await pass(0);
    expect([loader.value, loader.revision]).toEqual(['new', 1]);
  });

  it('drops the late failure about what is out of view', async () => {
    loader.visible = true;
    await pass(0);
    loader.reset();
    await pass(0);
    await answer('new');
    held.open[0]?.reject(new RequestError('network'));
    await pass(0);
    expect([loader.value, loader.problem]).toEqual(['new', null]);
  });

  it('forgets the answer with what it was about, and waits', async () => {
    loader.visible = true;
    await pass(0);
    await answer('live');
    isReady = false;
    loader.reset();
    await pass(60_000);
    expect([loader.value, count()]).toEqual([null, 1]);
    await loader.refresh();
    expect(count()).toBe(1);
    isReady = true;
    loader.reset();
    await pass(0);
    expect(count()).toBe(2);
  });

  it('comes back by itself, waiting longer from failure to failure', async () => {
    loader.visible = true;
    await pass(0);
    await answer('still');
    void loader.refresh();
    await pass(0);
    const waits: number[] = [];
    for (let failure = 0; failure < 6; failure++) {
      const before = count();
      held.open[before - 1]?.reject(new RequestError('timeout'));
      await pass(0);
      expect(loader.problem?.kind).toBe('timeout');
      let waited = 0;
      while (count() === before && waited < 60_000) {
        waited += 500;
        await pass(500);
      }
      waits.push(waited);
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_500);
    expect(waits[5]).toBeGreaterThan(waits[0] ?? 0);
    // What was known has stayed in view all the time.
    expect(loader.value).toBe('still');
    await answer('still');
    expect(loader.problem).toBeNull();
    const after = count();
    await pass(60_000);
    expect(count()).toBe(after);
  });

  it('says every change once, and nothing after its end', async () => {
    const told: (string | null)[] = [];
    loader.stateChanged.connect(() => told.push(loader.value));
    loader.visible = true;
    await pass(0);
    await answer('live');
    expect(told).toEqual(['live']);
    await pass(1000);
    loader.dispose();
    held.open[1]?.resolve('late');
    await pass(0);
    showTab(true);
    await loader.refresh();
    await pass(60_000);
    expect(told).toEqual(['live']);
    expect(count()).toBe(2);
    expect(() => loader.dispose()).not.toThrow();
  });

  it('leaves nobody listening to the tab', () => {
    const on = vi.spyOn(document, 'addEventListener');
    const off = vi.spyOn(document, 'removeEventListener');
    const other = new Loader({ ask: held.ask, isLive: () => true });
    other.dispose();
    expect(on).toHaveBeenCalledOnce();
    expect(off.mock.calls).toEqual(on.mock.calls);
  });
});

describe('MLOpsModel', () => {
  let held: Held<IRunsPage>;
  let api: FakeApi;
  let model: MLOpsModel;

  beforeEach(async () => {
    held = new Held();
    api = new FakeApi();
    api.listRuns = held.ask;
    model = new MLOpsModel({ api });
    model.setNotebook('a.ipynb');
    model.visible = true;
    await pass(0);
    return () => model.dispose();
  });

  const page = (name: string, changes: Partial<IRunsPage> = {}) =>
    makePage([makeRun({ name })], changes);
  const answer = async (place: number, name: string) => {
    held.open[place]?.resolve(page(name));
    await pass(0);
  };
  const shown = () => model.page?.runs[0]?.name ?? null;
  const asked = () =>
    held.asked.map(([options]) => {
      const { notebook, offset, filter } = options as Record<string, unknown>;
      return `${notebook as string} ${offset as number} ${filter as string}`;
    });

  it('shows the page that was turned to last, whichever comes first', async () => {
    await answer(0, 'first');
    model.turnTo(25);
    await pass(0);
    model.turnTo(50);
    await pass(0);
    expect(asked()).toEqual(['a.ipynb 0 ', 'a.ipynb 25 ', 'a.ipynb 50 ']);
    await answer(2, 'third');
    await answer(1, 'second');
    expect(shown()).toBe('third');
  });

  it('shows what is sought last, and no failure of what was sought before', async () => {
    model.setQuery({ filter: 'a > 1' });
    await pass(0);
    model.setQuery({ filter: 'a > 12' });
    await pass(0);
    held.open[1]?.reject(new RequestError('input', 'slip'));
    held.open[0]?.reject(new RequestError('network'));
    await pass(0);
    expect([model.problem, model.filterProblem]).toEqual([null, null]);
    await answer(2, 'right');
    expect(shown()).toBe('right');
  });

  it('goes back to the first page with a new filter', async () => {
    model.turnTo(75);
    model.setQuery({ filter: 'b' });
    await pass(0);
    expect(asked().pop()).toBe('a.ipynb 0 b');
  });

  it('takes a slip in the filter for no fault of the server', async () => {
    await answer(0, 'known');
    model.setQuery({ filter: 'a >' });
    await pass(0);
    held.open[1]?.reject(new RequestError('input', 'expected a value'));
    await pass(0);
    expect(model.filterProblem?.message).toBe('expected a value');
    expect([model.problem, shown()]).toEqual([null, 'known']);
    // Without a filter the same refusal is one.
    model.setQuery({ filter: '' });
    await pass(0);
    held.open[2]?.reject(new RequestError('input', 'no such order'));
    await pass(0);
    expect(model.problem?.message).toBe('no such order');
  });

  it('asks at once after a reconnection, and takes another version', async () => {
    await answer(0, 'known');
    expect(api.statusCount).toBe(1);
    void model.refresh();
    await pass(0);
    held.open[1]?.reject(new RequestError('network'));
    await pass(0);
    expect([model.problem?.kind, shown()]).toEqual(['network', 'known']);
    api.version = '9.0.0';
    void model.refresh();
    await pass(0);
    await answer(2, 'after');
    expect([model.problem, model.foreignVersion]).toEqual([null, '9.0.0']);
    expect(api.statusCount).toBe(2);
  });

  it('knows a server of the same minor version, and a checkout', async () => {
    for (const [version, foreign] of [
      ['0.1.99', null],
      ['0.0.0', null],
      ['0.2.0', '0.2.0'],
      ['<b>1</b>', '<b>1</b>']
    ] as const) {
      api.version = version;
      const other = new MLOpsModel({ api });
      other.setNotebook('b.ipynb');
      other.visible = true;
      await pass(0);
      await answer(held.open.length - 1, 'x');
      expect(other.foreignVersion).toBe(foreign);
      other.dispose();
    }
  });

  it('asks nothing of a tab that nobody sees', async () => {
    await answer(0, 'known');
    showTab(false);
    await pass(60_000);
    expect(held.open).toHaveLength(1);
    showTab(true);
    await pass(5_000);
    expect(held.open.length).toBeGreaterThan(1);
  });

  it('hears nothing after its end', async () => {
    const told = vi.fn();
    model.stateChanged.connect(told);
    model.dispose();
    await answer(0, 'late');
    model.busy = true;
    await model.refresh();
    await pass(60_000);
    expect(told).not.toHaveBeenCalled();
    expect(held.open).toHaveLength(1);
    expect(() => model.dispose()).not.toThrow();
  });

  it('is not live without a notebook, whatever runs', () => {
    model.busy = true;
    expect(model.isLive).toBe(true);
    model.setNotebook(null);
    expect(model.isLive).toBe(false);
  });
});
