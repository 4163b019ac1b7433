/**
 * Hears from the server that the store of the notebook in view has changed.
 */
import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/** As the server names the event. */
export const CHANGED = 'urn:mlops-nb:changed';

/** Tells whoever looks; the server tells nothing of notebooks that nobody has asked about. */
export class LiveChanges implements IDisposable {
  constructor(options: LiveChanges.IOptions) {
    this._options = options;
    options.events.stream.connect(this._onEvent, this);
  }

  /** Emitted when runs or cells of the notebook in view may be others than before. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    const { schema_id: schema, notebooks } = event;
    const notebook = this._options.getNotebook();
    if (
      schema === CHANGED &&
      Array.isArray(notebooks) &&
      notebooks.includes(notebook)
    ) {
      this._changed.emit(); // ten times a second at most: the server sees to it
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _options: LiveChanges.IOptions;
  private _isDisposed = false;
}

export namespace LiveChanges {
  export interface IOptions {
    readonly events: Pick<Event.IManager, 'stream'>;
    /** The notebook in view. */
    readonly getNotebook: () => string | null;
  }
}
