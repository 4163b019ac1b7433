/**
 * A notebook in view, its cells and its kernel, in the place of JupyterLab's.
 */
import { Signal } from '@lumino/signaling';

import type { IActiveCell, INotebookBridge } from '../bridge';
import type { INotebookCells } from '../notebookcells';
import type { ICodeCell } from '../notebookwords';
import type { IRegisterState, IRegisterWish, IRunAgain } from '../runagain';
import type { ICellPlace } from '../tokens';

/** A notebook in view that remembers what was done with it. */
export class FakeBridge implements INotebookBridge {
  readonly changed = new Signal<this, void>(this);
  readonly saved = new Signal<this, void>(this);
  activeCell: IActiveCell | null = null;
  isDirty = false;
  isReadOnly = false;
  stepNames: readonly string[] = [];
  readonly done: string[] = [];

  save() {
    this.done.push('save');
    this.isDirty = false;
    this.saved.emit();
    return Promise.resolve();
  }

  setTags(tags: readonly string[]) {
    this.done.push(`tags ${tags.join()}`);
  }

  cellIds: readonly string[] = [];

  addTag({ index, id }: ICellPlace, tag: string) {
    this.done.push(`tag ${id ?? index} ${tag}`);
  }

  goTo(place: ICellPlace) {
    this.done.push(`go to ${place.index} ${place.id}`);
  }
}

/** Cells and a kernel that remembers what it was asked to execute. */
export class FakeCells implements INotebookCells {
  readonly changed = new Signal<this, void>(this);
  readonly ran = new Signal<this, void>(this);
  cells: readonly ICodeCell[] = [];
  kernelId: string | null = 'k';
  language = 'python';
  isBusy = false;
  readonly done: string[] = [];
  failure: Error | null = null;

  execute(code: string) {
    this.done.push(code);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  }
}

/** What is done with a run once more, remembered in words. */
export class FakeAgain implements IRunAgain {
  readonly done: string[] = [];
  state: IRegisterState = { versions: [], way: 'none' };
  failure: Error | null = null;

  reproduce(anyway: boolean) {
    return this._do(`reproduce ${anyway}`);
  }

  cancel() {
    return this._do('cancel');
  }

  getRegistration() {
    return Promise.resolve(this.state);
  }

  async register(wish: IRegisterWish) {
    await this._do(`register ${Object.values(wish).join()}`);
    return this.state;
  }

  exportScript() {
    return this._do('export');
  }

  private _do(words: string): Promise<void> {
    this.done.push(words);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  }
}
