/**
 * One typed function per route.
 */
import type { ServerConnection } from '@jupyterlab/services';

import { requestAPI, RequestError } from './request';
import type { IRunsPage, IStatus } from './tokens';

/** What can be asked of the server; tests put their own in its place. */
export interface IApi {
  getStatus(): Promise<IStatus>;
  listRuns(options: IListRunsOptions): Promise<IRunsPage>;
}

export interface IListRunsOptions {
  /** Path of the notebook from the server's root. */
  readonly notebook: string;
  readonly limit: number;
  readonly offset: number;
}

/**
 * Bind the routes to a server.
 *
 * @param settings - where the server is
 * @returns one function per route
 */
export function createApi(settings: ServerConnection.ISettings): IApi {
  return {
    getStatus: async () => {
      const body = await requestAPI<Partial<IStatus>>('status', {}, settings);
      return Private.check(body, typeof body.version === 'string');
    },
    listRuns: async options => {
      const body = await requestAPI<Partial<IRunsPage>>(
        'runs',
        { ...options },
        settings
      );
      return Private.check(body, Array.isArray(body.runs));
    }
  };
}

namespace Private {
  /** Refuse a body that is JSON but not ours, as a proxy or another server may send. */
  export function check<T>(body: Partial<T>, isOurs: boolean): T {
    if (!isOurs) {
      throw new RequestError('garbage', JSON.stringify(body).slice(0, 200));
    }
    return body as T;
  }
}
