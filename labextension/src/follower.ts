/**
 * Keeps the model on the notebook in view: its path and whether its kernel is at work.
 */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { IMLOpsModel } from './tokens';

/** Follows the notebook in view through renames, kernel restarts and closing. */
export class NotebookFollower implements IDisposable {
  constructor(options: NotebookFollower.IOptions) {
    this._model = options.model;
    this._tracker = options.tracker;
    this._tracker.currentChanged.connect(this._onCurrentChanged, this);
    this._onCurrentChanged();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _onCurrentChanged(): void {
    const panel = this._tracker.currentWidget;
    if (panel === this._panel) {
      return;
    }
    this._leave();
    this._panel = panel;
    if (panel) {
      panel.context.pathChanged.connect(this._onPathChanged, this);
      panel.sessionContext.statusChanged.connect(this._onStatusChanged, this);
    }
    this._model.setNotebook(panel ? panel.context.localPath : null);
    this._model.busy = panel?.sessionContext.session?.kernel?.status === 'busy';
  }

  private _onPathChanged(
    context: DocumentRegistry.IContext<DocumentRegistry.IModel>
  ): void {
    this._model.setNotebook(context.localPath);
  }

  private _onStatusChanged(_: ISessionContext, status: Kernel.Status): void {
    this._model.busy = status === 'busy';
  }

  private _leave(): void {
    const panel = this._panel;
    if (panel && !panel.isDisposed) {
      panel.context.pathChanged.disconnect(this._onPathChanged, this);
      panel.sessionContext.statusChanged.disconnect(
        this._onStatusChanged,
        this
      );
    }
  }

  private readonly _model: IMLOpsModel;
  private readonly _tracker: INotebookTracker;
  private _panel: NotebookPanel | null = null;
  private _isDisposed = false;
}

export namespace NotebookFollower {
  export interface IOptions {
    readonly model: IMLOpsModel;
    readonly tracker: INotebookTracker;
  }
}
