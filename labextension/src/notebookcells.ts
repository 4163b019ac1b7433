/**
 * The code cells and the kernel of the notebook in view, for whoever looks at them.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { ICodeCell } from './notebookwords';
import { Settler } from './settler';

/** So long after the last change cells are read again, in milliseconds; never while typing. */
const SETTLE_MS = 400;

/** So long after the kernel's last change others are told; never between two cells of many. */
const RAN_MS = 200;

/** While many short cells run others are told this often. */
const MOST_RAN_MS = 1000;

/** What sections may ask of the cells and the kernel in view, and do with them. */
export interface INotebookCells {
  /** Emitted when the cells or the kernel are others than before. */
  readonly changed: ISignal<this, void>;
  /** Emitted when the kernel begins or ends its work. */
  readonly ran: ISignal<this, void>;
  /** The code cells, from top to bottom. */
  readonly cells: readonly ICodeCell[];
  /** As Jupyter names the kernel; null while there is none. */
  readonly kernelId: string | null;
  /** In lower case, empty where nobody knows. */
  readonly language: string;
  readonly isBusy: boolean;
  /** Execute an expression out of the notebook's sight; rejects with what the kernel says. */
  execute(code: string): Promise<void>;
}

/** What a kernel says where an execution fails. */
export class KernelError extends Error {
  constructor(
    /** Class of the exception. */
    readonly kind: string,
    message: string
  ) {
    super(message);
    this.name = 'KernelError';
  }
}

/** Whether a notebook is known to be written in another language than Python. */
export function isForeign({
  language
}: Pick<INotebookCells, 'language'>): boolean {
  return language !== '' && language !== 'python';
}

/** Follows the notebook in view. */
export class NotebookCells implements INotebookCells, IDisposable {
  constructor(tracker: INotebookTracker) {
    this._tracker = tracker;
    this._settle = new Settler(() => this._changed.emit(), SETTLE_MS);
    this._tell = new Settler(() => this._ran.emit(), RAN_MS, MOST_RAN_MS);
    tracker.currentChanged.connect(this._onNotebookChanged, this);
    this._onNotebookChanged();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get ran(): ISignal<this, void> {
    return this._ran;
  }

  get cells(): readonly ICodeCell[] {
    const widgets = this._panel?.content.widgets ?? [];
    return widgets.flatMap(({ model }, index) =>
      model.type === 'code'
        ? [{ index, id: model.id, source: model.sharedModel.getSource() }]
        : []
    );
  }

  get kernelId(): string | null {
    return this._kernel?.id ?? null;
  }

  get language(): string {
    return this._panel?.model?.defaultKernelLanguage.toLowerCase() ?? '';
  }

  get isBusy(): boolean {
    return this._kernel?.status === 'busy';
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  async execute(code: string): Promise<void> {
    const kernel = this._kernel;
    if (!kernel) {
      throw new KernelError('NoKernel', '');
    }
    const future = kernel.requestExecute({
      code,
      silent: true,
      store_history: false,
      stop_on_error: false,
      allow_stdin: false
    });
    const { content } = await future.done;
    if (content.status === 'error') {
      throw new KernelError(content.ename, content.evalue);
    }
    if (content.status !== 'ok') {
      throw new KernelError('Aborted', '');
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._settle.dispose();
      this._tell.dispose();
      Signal.clearData(this);
    }
  }

  private get _kernel() {
    return this._panel?.sessionContext.session?.kernel ?? null;
  }

  private _onNotebookChanged(): void {
    const panel = this._tracker.currentWidget;
    if (panel === this._panel) {
      return;
    }
    const before = this._panel;
    if (before && !before.isDisposed) {
      before.content.modelContentChanged.disconnect(this._onContent, this);
      before.sessionContext.statusChanged.disconnect(this._onStatus, this);
      before.sessionContext.kernelChanged.disconnect(this._onKernel, this);
    }
    this._panel = panel;
    panel?.content.modelContentChanged.connect(this._onContent, this);
    panel?.sessionContext.statusChanged.connect(this._onStatus, this);
    panel?.sessionContext.kernelChanged.connect(this._onKernel, this);
    this._changed.emit();
  }

  private _onContent(): void {
    this._settle.invoke(); // at each key: a timer, and nothing else
  }

  private _onStatus(): void {
    this._tell.invoke();
  }

  private _onKernel(): void {
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _ran = new Signal<this, void>(this);
  private readonly _tracker: INotebookTracker;
  private readonly _settle: Settler;
  private readonly _tell: Settler;
  private _panel: NotebookPanel | null = null;
  private _isDisposed = false;
}
