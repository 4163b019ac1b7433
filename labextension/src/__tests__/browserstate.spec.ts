import { afterEach, describe, expect, it, vi } from 'vitest';

import { BrowserState } from '../browserstate';
import { keepFolds } from '../keeper';

afterEach(() => {
  vi.restoreAllMocks();
  window.localStorage.clear();
});

describe('BrowserState', () => {
  it('gives what was kept to the next page of the same server', async () => {
    keepFolds(new BrowserState('/one/')).write(['jp-mlops-models']);
    expect(await keepFolds(new BrowserState('/one/')).read()).toEqual([
      'jp-mlops-models'
    ]);
    expect(await keepFolds(new BrowserState('/two/')).read()).toBeNull();
    await new BrowserState('/one/').remove('mlops-nb:unfolded');
    expect(await keepFolds(new BrowserState('/one/')).read()).toBeNull();
  });

  it('keeps nothing where the browser forbids it, and nothing fails', async () => {
    const state = new BrowserState('/');
    window.localStorage.setItem('/id', '{broken');
    expect(await state.fetch('id')).toBeUndefined();
    const forbid = () => {
      throw new DOMException('no', 'SecurityError');
    };
    for (const name of ['getItem', 'setItem', 'removeItem'] as const) {
      vi.spyOn(Storage.prototype, name).mockImplementation(forbid);
    }
    await state.save('id', 1);
    await state.remove('id');
    expect(await state.fetch('id')).toBeUndefined();
  });
});
