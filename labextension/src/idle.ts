/**
 * Puts off what nobody waits for until the page has nothing else to do.
 */

/** So long notebooks are still being drawn after the page was restored, in milliseconds. */
const CALM_MS = 2000;

/**
 * Work when the page is idle, some time after it was restored.
 *
 * @param restored - settled when the page stands
 * @param work - what nobody waits for
 */
export async function whenIdle(
  restored: Promise<unknown>,
  work: () => void
): Promise<void> {
  await restored;
  setTimeout(() => {
    // Safari does not know it.
    if (typeof requestIdleCallback === 'function') {
      requestIdleCallback(work);
    } else {
      work();
    }
  }, CALM_MS);
}
