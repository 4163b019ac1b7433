/**
 * The notebook in view as the sections need it: its cells' tags, its file, and where to jump.
 */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { findParts } from './steps';
import type { ICellPlace } from './tokens';

/** The active cell, as far as tags go. */
export interface IActiveCell {
  /** Stays the same when cells are put in above it. */
  readonly id: string;
  readonly index: number;
  readonly isCode: boolean;
  /** Its first line that says something, to tell it from others. */
  readonly firstLine: string;
  readonly tags: readonly string[];
  /** Whether comments in it say what tags may say too. */
  readonly hasDirectives: boolean;
}

/** What sections may ask of the notebook in view, and do with it. */
export interface INotebookBridge {
  /** Emitted when another cell is active, or anything below has changed. */
  readonly changed: ISignal<this, void>;
  /** Emitted when the notebook was written to its file. */
  readonly saved: ISignal<this, void>;
  readonly activeCell: IActiveCell | null;
  /** Whether the file is behind what is in view. */
  readonly isDirty: boolean;
  readonly isReadOnly: boolean;
  /** The steps that tags name, in notebook order. */
  readonly stepNames: readonly string[];
  /** Write the notebook to its file. */
  save(): Promise<void>;
  /** Give the active cell other tags. */
  setTags(tags: readonly string[]): void;
  /** What stays the same of each cell, from top to bottom. */
  readonly cellIds: readonly string[];
  /** Add a tag to a cell; to none where it is known by its id, and gone. */
  addTag(place: ICellPlace, tag: string): void;
  /** Show a cell and make it the active one. */
  goTo(place: ICellPlace): void;
}

/** A cell's model, as the tracker knows it. */
type CellModel = NonNullable<INotebookTracker['activeCell']>['model'];

const DIRECTIVE = /^\s*#\|\s*(step|after|block|prev|parameters|skip)\b/m;

/** Follows the notebook in view and its active cell. */
export class NotebookBridge implements INotebookBridge, IDisposable {
  constructor(options: NotebookBridge.IOptions) {
    this._options = options;
    const { tracker } = options;
    tracker.currentChanged.connect(this._onNotebookChanged, this);
    tracker.activeCellChanged.connect(this._onCellChanged, this);
    this._onNotebookChanged();
    this._onCellChanged();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get saved(): ISignal<this, void> {
    return this._saved;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get activeCell(): IActiveCell | null {
    const { activeCell } = this._options.tracker;
    const notebook = this._options.tracker.currentWidget?.content;
    if (!activeCell || !notebook) {
      return null;
    }
    const source = activeCell.model.sharedModel.getSource();
    return {
      id: activeCell.model.id,
      index: notebook.activeCellIndex,
      isCode: activeCell.model.type === 'code',
      firstLine: source.split('\n').find(line => line.trim()) ?? '',
      tags: Private.readTags(activeCell.model),
      hasDirectives: DIRECTIVE.test(source)
    };
  }

  get isDirty(): boolean {
    return this._panel?.context.model.dirty ?? false;
  }

  get isReadOnly(): boolean {
    return this._panel?.context.contentsModel?.writable === false;
  }

  get stepNames(): readonly string[] {
    const cells = this._panel?.content.widgets ?? [];
    const parts = findParts(
      cells.map(({ model }) => ({
        isCode: model.type === 'code',
        tags: Private.readTags(model),
        source: model.sharedModel.getSource()
      }))
    );
    const names = parts.map(part => part.step);
    return [...new Set(names)].filter(name => name !== null);
  }

  async save(): Promise<void> {
    await this._panel?.context.save();
  }

  setTags(tags: readonly string[]): void {
    const model = this._options.tracker.activeCell?.model;
    if (tags.length === 0) {
      model?.deleteMetadata('tags');
    } else {
      model?.setMetadata('tags', [...tags]);
    }
  }

  get cellIds(): readonly string[] {
    return (this._panel?.content.widgets ?? []).map(({ model }) => model.id);
  }

  addTag({ index, id }: ICellPlace, tag: string): void {
    const cells = this._panel?.content.widgets ?? [];
    const cell =
      id === null ? cells[index] : cells.find(({ model }) => model.id === id);
    const model = cell?.model;
    if (model) {
      const tags = Private.readTags(model);
      model.setMetadata('tags', [...tags.filter(each => each !== tag), tag]);
    }
  }

  goTo({ index, id }: ICellPlace): void {
    const panel = this._panel;
    const cells = panel?.content.widgets ?? [];
    // Cells may have been put in above since the file was written.
    const known = cells.findIndex(cell => id !== null && cell.model.id === id);
    const place = known < 0 ? index : known;
    const cell = cells[place];
    if (!panel || !cell) {
      return;
    }
    panel.content.activeCellIndex = place;
    this._options.onShow(panel.id);
    void panel.content.scrollToCell(cell, 'center');
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _onNotebookChanged(): void {
    const panel = this._options.tracker.currentWidget;
    if (panel === this._panel) {
      return;
    }
    if (this._panel && !this._panel.isDisposed) {
      this._panel.context.saveState.disconnect(this._onSaveState, this);
      this._panel.context.model.stateChanged.disconnect(this._tell, this);
    }
    this._panel = panel;
    panel?.context.saveState.connect(this._onSaveState, this);
    panel?.context.model.stateChanged.connect(this._tell, this);
    this._tell();
  }

  private _onSaveState(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'completed') {
      this._saved.emit();
      this._tell();
    }
  }

  private _onCellChanged(): void {
    const cell = this._options.tracker.activeCell?.model ?? null;
    if (cell !== this._cell) {
      this._cell?.metadataChanged.disconnect(this._tell, this);
      this._cell = cell;
      cell?.metadataChanged.connect(this._tell, this);
    }
    this._tell();
  }

  private _tell(): void {
    this._changed.emit();
  }

  private readonly _options: NotebookBridge.IOptions;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _saved = new Signal<this, void>(this);
  private _panel: NotebookPanel | null = null;
  private _cell: CellModel | null = null;
  private _isDisposed = false;
}

export namespace NotebookBridge {
  export interface IOptions {
    readonly tracker: INotebookTracker;
    /** Brings the notebook before everything else. */
    readonly onShow: (id: string) => void;
  }
}

namespace Private {
  /** The tags of a cell; what is no text among them is passed over. */
  export function readTags(model: CellModel): readonly string[] {
    const found: unknown = model.getMetadata('tags');
    return Array.isArray(found)
      ? found.filter((tag): tag is string => typeof tag === 'string')
      : [];
  }
}
