/**
 * Whoever comes back while a question is on its way is answered, also where that one fails.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Loader } from '../loader';
import { MLOpsModel } from '../model';
import { RequestError } from '../request';
import type { IRunsPage } from '../tokens';
import { FakeApi, makePage, makeRun } from './fixtures';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A server that lets its first question wait until it fails. */
function makeServer<T>(value: T) {
  let fail = (): void => undefined;
  const ask = vi.fn(() =>
    ask.mock.calls.length > 1
      ? Promise.resolve(value)
      : new Promise<T>((_, reject) => {
          fail = () => reject(new RequestError('timeout'));
        })
  );
  return { ask, fail: () => fail() };
}

it('loads an answer after a failure that somebody went and came back in', async () => {
  const { ask, fail } = makeServer(1);
  const loader = new Loader({ ask, isLive: () => true });
  loader.visible = true;
  await vi.advanceTimersByTimeAsync(10);
  loader.visible = false;
  loader.visible = true;
  await vi.advanceTimersByTimeAsync(10);
  expect(ask).toHaveBeenCalledTimes(1);
  fail();
  await vi.advanceTimersByTimeAsync(0);
  expect(loader.problem?.kind).toBe('timeout');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(loader.problem).toBeNull();
  expect(loader.value).toBe(1);
  loader.dispose();
});

it('lists runs after a failure that somebody went and came back in', async () => {
  const api = new FakeApi();
  const { ask, fail } = makeServer<IRunsPage>(makePage([]));
  vi.spyOn(api, 'listRuns').mockImplementation(ask);
  const model = new MLOpsModel({ api });
  model.setNotebook('a.ipynb');
  model.visible = true;
  await vi.advanceTimersByTimeAsync(10);
  model.visible = false;
  model.visible = true;
  await vi.advanceTimersByTimeAsync(10);
  expect(ask).toHaveBeenCalledTimes(1);
  fail();
  await vi.advanceTimersByTimeAsync(0);
  expect(model.problem?.kind).toBe('timeout');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(model.problem).toBeNull();
  expect(model.page).not.toBeNull();
  model.dispose();
});

it('asks for nothing after a failure when nobody came back', async () => {
  const { ask, fail } = makeServer(1);
  const loader = new Loader({ ask, isLive: () => true });
  loader.visible = true;
  await vi.advanceTimersByTimeAsync(10);
  loader.visible = false;
  fail();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ask).toHaveBeenCalledTimes(1);
  loader.dispose();
});

it('turns back from a page whose last runs were deleted', async () => {
  const api = new FakeApi();
  const model = new MLOpsModel({ api });
  const runs = [makeRun()];
  vi.spyOn(api, 'listRuns').mockImplementation(({ offset }) =>
    Promise.resolve(makePage(offset === 0 ? runs : [], { offset }))
  );
  model.setNotebook('a.ipynb');
  model.visible = true;
  model.turnTo(25);
  await vi.advanceTimersByTimeAsync(100);
  expect(model.page?.offset).toBe(0);
  expect(model.page?.runs).toEqual(runs);
  model.dispose();
});
