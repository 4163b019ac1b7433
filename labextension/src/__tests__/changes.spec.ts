import { describe, expect, it, vi } from 'vitest';

import { RunChanges } from '../changes';
import { keepColumns, keepFolds } from '../keeper';
import { Loader } from '../loader';
import { MLOpsModel } from '../model';
import { RequestError } from '../request';
import { FakeApi, makeRun } from './fixtures';

describe('RunChanges', () => {
  const one = makeRun({ run_id: '1' });
  const two = makeRun({ run_id: '2' });

  function start(notebook: string | null = 'a.ipynb') {
    const api = new FakeApi();
    const onChanged = vi.fn(() => Promise.resolve());
    const changes = new RunChanges({
      api,
      getNotebook: () => notebook,
      onChanged
    });
    return { api, changes, onChanged };
  }

  it('renames and tags, and asks for the list again', async () => {
    const { api, changes, onChanged } = start();
    expect(await changes.rename(one, 'new')).toBe(true);
    expect(await changes.setTag(one, 'owner', 'Ada')).toBe(true);
    expect(api.done).toEqual([
      'edit 1 {"name":"new"}',
      'edit 1 {"tags":{"owner":"Ada"}}'
    ]);
    expect(onChanged).toHaveBeenCalledTimes(2);
  });

  it('says why a change was refused, and what was done before it', async () => {
    const { api, changes } = start();
    changes.toggle(one);
    changes.toggle(two);
    vi.spyOn(api, 'deleteRun').mockImplementation(({ runId }) =>
      runId === '2'
        ? Promise.reject(new RequestError('input', 'it is running'))
        : Promise.resolve()
    );
    expect(await changes.remove([one, two])).toBe(false);
    expect(changes.deleted).toEqual([one]);
    expect([...changes.selected.keys()]).toEqual(['2']);
    expect(changes.problem?.message).toBe('it is running');
    changes.dismiss();
    expect(changes.problem).toBeNull();
    expect(changes.deleted).toEqual([]);
  });

  it('makes one change at a time, and none without a notebook', async () => {
    const { api, changes } = start();
    const first = changes.rename(one, 'a');
    expect(changes.isBusy).toBe(true);
    expect(await changes.rename(one, 'b')).toBe(false);
    expect(await first).toBe(true);
    expect(api.done).toHaveLength(1);
    const closed = start(null);
    expect(await closed.changes.rename(one, 'a')).toBe(false);
    expect(closed.api.done).toEqual([]);
  });

  it('forgets everything with the notebook', async () => {
    const { changes } = start();
    changes.toggle(two);
    await changes.remove([one]);
    changes.toggle(two);
    changes.toggle(two);
    changes.unselect();
    expect(changes.selected.size).toBe(0);
    changes.clear();
    expect(changes.deleted).toEqual([]);
  });
});

describe('Loader', () => {
  it('asks while it is seen and the answer changes', async () => {
    vi.useFakeTimers();
    const ask = vi.fn(() => Promise.resolve('running'));
    const loader = new Loader({ ask, isLive: value => value === 'running' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ask).not.toHaveBeenCalled();
    loader.visible = true;
    await vi.advanceTimersByTimeAsync(0);
    expect([loader.value, loader.revision]).toEqual(['running', 1]);
    ask.mockResolvedValue('finished');
    await vi.advanceTimersByTimeAsync(2500);
    expect(loader.value).toBe('finished');
    const count = ask.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ask).toHaveBeenCalledTimes(count);
    loader.visible = false;
    await loader.refresh();
    expect(ask).toHaveBeenCalledTimes(count);
    loader.dispose();
    vi.useRealTimers();
  });

  it('keeps what it has while the server fails, and comes back by itself', async () => {
    vi.useFakeTimers();
    const ask = vi.fn(() => Promise.resolve('first'));
    const loader = new Loader({ ask, isLive: () => false });
    loader.visible = true;
    await vi.advanceTimersByTimeAsync(0);
    ask.mockRejectedValue(new RequestError('network', 'gone'));
    await loader.refresh();
    await vi.advanceTimersByTimeAsync(0);
    expect(loader.value).toBe('first');
    expect(loader.problem?.kind).toBe('network');
    ask.mockResolvedValue('again');
    await vi.advanceTimersByTimeAsync(20_000);
    expect([loader.value, loader.problem]).toEqual(['again', null]);
    loader.dispose();
    vi.useRealTimers();
  });
});

describe('keepColumns', () => {
  it('brings them back, and keeps what is chosen later', async () => {
    const model = new MLOpsModel({ api: new FakeApi() });
    const state = {
      fetch: vi.fn(() => Promise.resolve(['metrics.a'])),
      save: vi.fn(() => Promise.resolve()),
      remove: vi.fn(() => Promise.resolve())
    };
    await keepColumns(model, state);
    expect(model.columns).toEqual(['metrics.a']);
    expect(state.save).not.toHaveBeenCalled();
    model.columns = ['params.b'];
    expect(state.save).toHaveBeenCalledWith('mlops-nb:columns', ['params.b']);
    model.columns = null;
    expect(state.remove).toHaveBeenCalledWith('mlops-nb:columns');
    model.dispose();
  });

  it('takes nothing that is no list of names', async () => {
    const model = new MLOpsModel({ api: new FakeApi() });
    const state = { fetch: () => Promise.resolve({ evil: 1 }) };
    await keepColumns(model, state as never);
    expect(model.columns).toBeNull();
    model.dispose();
  });
});

describe('keepFolds', () => {
  it.each([
    [['a', 7], ['a']],
    ['garbage', null],
    [undefined, null]
  ])('reads %o as %o', async (kept, unfolded) => {
    const state = { fetch: () => Promise.resolve(kept) };
    expect(await keepFolds(state as never).read()).toEqual(unfolded);
  });
});
