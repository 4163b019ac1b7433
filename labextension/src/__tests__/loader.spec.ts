/**
 * A browser tab that nobody sees asks for nothing, and asks when it is seen again.
 */
import { afterEach, expect, it, vi } from 'vitest';

import { Loader } from '../loader';

function turn(state: 'hidden' | 'visible'): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}

afterEach(() => {
  vi.restoreAllMocks();
  document.dispatchEvent(new Event('visibilitychange'));
});

it('asks nothing in a hidden tab, and asks when it is shown', async () => {
  const ask = vi.fn(() => Promise.resolve(1));
  const loader = new Loader({ ask, isLive: () => false });
  loader.visible = true;
  await vi.waitFor(() => expect(loader.value).toBe(1));
  turn('hidden');
  await loader.refresh();
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(ask).toHaveBeenCalledTimes(1);
  turn('visible');
  await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2));
  loader.visible = false;
  turn('visible');
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(ask).toHaveBeenCalledTimes(2);
  loader.dispose();
});
