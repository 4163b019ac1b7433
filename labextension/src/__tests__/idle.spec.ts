/**
 * What nobody waits for is done in the end, in browsers with and without idle callbacks.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { whenIdle } from '../idle';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('whenIdle', () => {
  it('waits for the page, a while, and for idleness', async () => {
    const idle: (() => void)[] = [];
    vi.stubGlobal('requestIdleCallback', (call: () => void) => {
      idle.push(call);
    });
    const work = vi.fn();
    let restore: () => void = () => {};
    const restored = new Promise<void>(resolve => {
      restore = resolve;
    });
    const put = whenIdle(restored, work);
    vi.runAllTimers();
    expect(idle).toEqual([]);
    restore();
    await put;
    expect(idle).toEqual([]);
    vi.runAllTimers();
    expect(work).not.toHaveBeenCalled();
    idle.forEach(call => {
      call();
    });
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('works without idle callbacks', async () => {
    vi.stubGlobal('requestIdleCallback', undefined);
    const work = vi.fn();
    await whenIdle(Promise.resolve(), work);
    vi.runAllTimers();
    expect(work).toHaveBeenCalledTimes(1);
  });
});
