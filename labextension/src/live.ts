/**
 * Hears from the server that the store of the notebook in view has changed.
 */
import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { Settler } from './settler';

/** As the server names the event. */
export const CHANGED = 'urn:mlops-nb:changed';

/** A part of the store that grows with each cell, and holds no run. */
const CELLS = 'sessions';

/** While cells run one after the other the kernel needs the machine more than we do. */
const QUIET_MS = 300;

/** So often cells are looked at all the same, in milliseconds. */
const MOST_MS = 1000;

/** Tells whoever looks; the server tells nothing of notebooks that nobody has asked about. */
export class LiveChanges implements IDisposable {
  constructor(options: LiveChanges.IOptions) {
    this._options = options;
    options.events.stream.connect(this._onEvent, this);
  }

  /** Emitted at once when runs may be others than before. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when cells have run, and nothing else was written; a moment later. */
  get cellsChanged(): ISignal<this, void> {
    return this._cellsChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._settle.dispose();
      Signal.clearData(this);
    }
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    const { schema_id: schema, notebooks, parts } = event;
    const notebook = this._options.getNotebook();
    if (
      schema === CHANGED &&
      Array.isArray(notebooks) &&
      notebooks.includes(notebook)
    ) {
      // An older server does not say what was written.
      if (Array.isArray(parts) && parts.every(part => part === CELLS)) {
        this._settle.invoke();
      } else {
        this._changed.emit(); // ten times a second at most: the server sees to it
      }
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _cellsChanged = new Signal<this, void>(this);
  private readonly _settle = new Settler(
    () => this._cellsChanged.emit(),
    QUIET_MS,
    MOST_MS
  );
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
