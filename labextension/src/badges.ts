/**
 * Shows in the notebook which step a cell belongs to: a name where a step begins, a rail beside it.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { Settler } from './settler';
import { findParts } from './steps';

/** Steps are told apart by so many colours, which come again. */
const COLOURS = 4;

/** So long after the last change a notebook is looked at again, in milliseconds; never while typing. */
const SETTLE_MS = 250;

/** A cell's model, as the tracker knows it. */
type CellModel = NonNullable<INotebookTracker['activeCell']>['model'];

/** Marks the cells of every notebook that is open, and takes the marks back. */
export class StepBadges implements IDisposable {
  constructor(tracker: INotebookTracker) {
    this._tracker = tracker;
    tracker.forEach(panel => this._follow(tracker, panel));
    tracker.widgetAdded.connect(this._follow, this);
  }

  /** Whether steps are shown. */
  get isOn(): boolean {
    return this._isOn;
  }

  set isOn(isOn: boolean) {
    if (isOn !== this._isOn) {
      this._isOn = isOn;
      this._tracker.forEach(panel => this._mark(panel));
      this._changed.emit();
    }
  }

  /** Emitted when steps are shown, or shown no more. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this.isOn = false;
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _follow(_: INotebookTracker, panel: NotebookPanel): void {
    const known = new WeakSet<CellModel>();
    const look = () => {
      for (const { model } of panel.content.widgets) {
        if (!known.has(model)) {
          known.add(model);
          model.metadataChanged.connect(again);
        }
      }
      this._mark(panel);
    };
    const settle = new Settler(look, SETTLE_MS);
    const again = () => settle.invoke(); // at each key: a timer, and nothing else
    panel.content.modelContentChanged.connect(again);
    void panel.context.ready.then(again);
    panel.disposed.connect(() => settle.dispose());
  }

  private _mark(panel: NotebookPanel): void {
    if (panel.isDisposed || this._isDisposed) {
      return;
    }
    const cells = panel.content.widgets;
    const parts = findParts(
      cells.map(({ model }) => {
        const tags: unknown = model.getMetadata('tags');
        return {
          isCode: model.type === 'code',
          tags: Array.isArray(tags)
            ? tags.filter((tag): tag is string => typeof tag === 'string')
            : [],
          source: model.sharedModel.getSource()
        };
      })
    );
    cells.forEach(({ node }, place) => {
      const part = parts[place];
      // Only what differs is written: each write has the browser lay out the cell again.
      const write = (name: string, value: string | null) => {
        if (value === null) {
          node.removeAttribute(name);
        } else if (node.getAttribute(name) !== value) {
          node.setAttribute(name, value);
        }
      };
      const step = this._isOn ? (part?.step ?? null) : null;
      write(
        'data-mlops-colour',
        step === null ? null : String((part?.place ?? 0) % COLOURS)
      );
      write('data-mlops-step', part?.isNamed ? step : null);
    });
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _tracker: INotebookTracker;
  private _isOn = true;
  private _isDisposed = false;
}
