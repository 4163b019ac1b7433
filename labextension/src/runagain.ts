/**
 * What is done with a run once more: make it again, register its model, have its code.
 */
import type { Contents, Kernel } from '@jupyterlab/services';

import type { IApi, IRunPlace } from './api';
import { freeName } from './codebook';
import { KernelError } from './notebookcells';
import type { IRegisterWish } from './runagainapi';
import type { IModelVersion } from './tokens';

export type { IRegisterWish } from './runagainapi';

/** How the model of a run can be registered, now. */
export interface IRegisterState {
  readonly versions: readonly IModelVersion[];
  /** `stored`: from bytes that are kept; `kernel`: by the kernel that trained it; or not at all. */
  readonly way: 'stored' | 'kernel' | 'none';
}

/** What the page of a run can do. */
export interface IRunAgain {
  /** Run its code again and compare; on other data too where `anyway`. */
  reproduce(anyway: boolean): Promise<void>;
  cancel(): Promise<void>;
  getRegistration(): Promise<IRegisterState>;
  register(wish: IRegisterWish): Promise<IRegisterState>;
  /** Write its code into a script of its own, and open it. */
  exportScript(): Promise<void>;
}

/** Quotes of JSON are quotes of Python; what follows leaves no name behind. */
const REGISTER =
  "__import__('mlops_nb.kernel.registering', fromlist=['']).register_run(%1)";

/** The actions on one run, with the server, its kernels and its files. */
export class RunAgain implements IRunAgain {
  constructor(options: RunAgain.IOptions) {
    this._options = options;
  }

  async reproduce(anyway: boolean): Promise<void> {
    const { api, place, onChanged } = this._options;
    await api.startReproduction(place, anyway);
    await onChanged();
  }

  async cancel(): Promise<void> {
    const { api, place, onChanged } = this._options;
    await api.cancelReproduction(place);
    await onChanged();
  }

  async getRegistration(): Promise<IRegisterState> {
    const { api, place } = this._options;
    const { versions, kernel_id } = await api.getRegistration(place);
    const kernel = versions.length > 0 ? null : await this._find(kernel_id);
    const way =
      versions.length > 0 ? 'stored' : kernel === null ? 'none' : 'kernel';
    return { versions, way };
  }

  async register(wish: IRegisterWish): Promise<IRegisterState> {
    const { api, place } = this._options;
    const { versions, kernel_id } = await api.getRegistration(place);
    const kernel = versions.length > 0 ? null : await this._find(kernel_id);
    if (kernel === null) {
      // The server says what is in the way where there are no bytes either.
      await api.registerRun(place, wish);
    } else {
      await this._execute(kernel, wish);
    }
    return this.getRegistration();
  }

  async exportScript(): Promise<void> {
    const { api, place, contents, folder, onOpenFile } = this._options;
    const { name, source } = await api.getScript(place);
    const stem = name.replace(/\.py$/, '');
    const path = await freeName(contents, folder, stem, '.py');
    await contents.save(path, {
      type: 'file',
      format: 'text',
      content: source
    });
    onOpenFile(path);
  }

  private async _find(kernelId: string | null): Promise<Kernel.IModel | null> {
    const { kernels } = this._options;
    if (kernelId === null) {
      return null;
    }
    await kernels.refreshRunning();
    return [...kernels.running()].find(({ id }) => id === kernelId) ?? null;
  }

  private async _execute(
    model: Kernel.IModel,
    { name, alias, reason }: IRegisterWish
  ): Promise<void> {
    const { kernels, place } = this._options;
    const words = [place.runId, name, alias, reason];
    const kernel = kernels.connectTo({ model });
    try {
      const future = kernel.requestExecute({
        code: REGISTER.replace('%1', () =>
          words.map(word => JSON.stringify(word)).join(', ')
        ),
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
    } finally {
      kernel.dispose();
    }
  }

  private readonly _options: RunAgain.IOptions;
}

export namespace RunAgain {
  /** What is asked of the server. */
  export type IServer = Pick<
    IApi,
    | 'startReproduction'
    | 'cancelReproduction'
    | 'getRegistration'
    | 'registerRun'
    | 'getScript'
  >;

  export interface IOptions {
    readonly api: IServer;
    readonly place: IRunPlace;
    readonly kernels: Pick<
      Kernel.IManager,
      'connectTo' | 'refreshRunning' | 'running'
    >;
    readonly contents: Pick<Contents.IManager, 'get' | 'save'>;
    /** Where a script is written, from the server's root. */
    readonly folder: string;
    readonly onOpenFile: (path: string) => void;
    /** Called when a job was started or cancelled. */
    readonly onChanged: () => Promise<void>;
  }
}
