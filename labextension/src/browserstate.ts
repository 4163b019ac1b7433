/**
 * Keeps choices in the browser, for Notebook 7, whose own state lasts only as long as the page.
 */
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';

import type { Keepsake } from './keeper';

/** State that lasts in this browser; where it may keep nothing, none lasts. */
export class BrowserState implements Keepsake {
  /**
   * @param prefix - keeps servers on one host apart
   */
  constructor(prefix: string) {
    this._prefix = prefix;
  }

  fetch(id: string): Promise<ReadonlyPartialJSONValue | undefined> {
    let found: ReadonlyPartialJSONValue | undefined;
    try {
      const text = window.localStorage.getItem(this._prefix + id);
      found = JSON.parse(text ?? 'null') as ReadonlyPartialJSONValue;
    } catch {
      // Forbidden, or another program's.
    }
    return Promise.resolve(found ?? undefined);
  }

  save(id: string, value: ReadonlyPartialJSONValue): Promise<void> {
    try {
      window.localStorage.setItem(this._prefix + id, JSON.stringify(value));
    } catch {
      // Full or forbidden: then the choice ends with the page.
    }
    return Promise.resolve();
  }

  remove(id: string): Promise<void> {
    try {
      window.localStorage.removeItem(this._prefix + id);
    } catch {
      // Forbidden: then nothing was kept either.
    }
    return Promise.resolve();
  }

  private readonly _prefix: string;
}
