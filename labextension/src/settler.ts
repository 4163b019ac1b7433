/**
 * Waits until all is quiet; one timer, as keys are typed meanwhile.
 */
import type { IDisposable } from '@lumino/disposable';

/** Calls once some time after the last of many occasions. */
export class Settler implements IDisposable {
  /**
   * @param tell - what is called
   * @param quiet - so long after the last occasion, in milliseconds
   * @param most - so long after the first at most; by default there is no such end
   */
  constructor(
    private readonly _tell: () => void,
    private readonly _quiet: number,
    private readonly _most = Infinity
  ) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Note an occasion. */
  invoke(): void {
    if (this._isDisposed) {
      return;
    }
    const now = Date.now();
    this._first ??= now;
    // A clock that was set back must not have anybody wait.
    const waited = Math.max(0, now - this._first);
    const wait = Math.min(this._quiet, Math.max(0, this._most - waited));
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      this._first = null;
      this._tell();
    }, wait);
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
  /** When the first of the occasions came that nobody was told of yet. */
  private _first: number | null = null;
  private _isDisposed = false;
}
