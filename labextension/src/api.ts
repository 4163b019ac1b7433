/**
 * One typed function per route.
 */
import type { ServerConnection } from '@jupyterlab/services';

import type { IChange, Query } from './request';
import { requestAPI, requestBytes, RequestError } from './request';
import type {
  ICellsPage,
  IComparison,
  ICurve,
  IQuery,
  IRun,
  IRunDetails,
  IRunsPage,
  IStatus,
  ISurroundings
} from './tokens';

/** Where a run is: its id, and the notebook whose project's store keeps it. */
export interface IRunPlace {
  readonly runId: string;
  /** Path from the server's root. */
  readonly notebook: string;
}

export interface IListRunsOptions extends IQuery {
  /** Path of the notebook from the server's root. */
  readonly notebook: string;
  readonly limit: number;
  readonly offset: number;
}

/** What can be asked of the server; tests put their own in its place. */
export interface IApi {
  getStatus(): Promise<IStatus>;
  listRuns(options: IListRunsOptions): Promise<IRunsPage>;
  getRun(place: IRunPlace): Promise<IRunDetails>;
  getCurve(place: IRunPlace, key: string, pixels: number): Promise<ICurve>;
  listCells(place: IRunPlace, offset: number): Promise<ICellsPage>;
  getSurroundings(place: IRunPlace): Promise<ISurroundings>;
  readArtifact(place: IRunPlace, path: string): Promise<Blob>;
  compareRuns(
    runIds: readonly string[],
    notebook: string,
    offset: number
  ): Promise<IComparison>;
  editRun(
    place: IRunPlace,
    change: {
      readonly name?: string;
      readonly tags?: Readonly<Record<string, string>>;
    }
  ): Promise<IRun>;
  deleteRun(place: IRunPlace): Promise<void>;
  restoreRun(place: IRunPlace): Promise<IRun>;
}

/**
 * Bind the routes to a server.
 *
 * @param settings - where the server is
 * @returns one function per route
 */
export function createApi(settings: ServerConnection.ISettings): IApi {
  const { at, isRun, isText } = Private;
  /** Ask, and refuse a body that is JSON but not ours, as a proxy or another server may send. */
  async function ask<T>(
    route: string,
    query: Query,
    isOurs: (body: Partial<T>) => boolean,
    change?: IChange
  ): Promise<T> {
    const body = await requestAPI<Partial<T>>(
      route,
      query,
      settings,
      undefined,
      change
    );
    if (!isOurs(body)) {
      throw new RequestError('garbage', JSON.stringify(body).slice(0, 200));
    }
    return body as T;
  }
  return {
    getStatus: () => ask<IStatus>('status', {}, body => isText(body.version)),
    listRuns: ({ orderBy, filter, ...rest }) =>
      ask<IRunsPage>(
        'runs',
        { ...rest, filter: filter || null, order_by: orderBy },
        body => Array.isArray(body.runs)
      ),
    getRun: place =>
      ask<IRunDetails>(
        at(place),
        { notebook: place.notebook },
        body => isRun(body) && Array.isArray(body.artifacts)
      ),
    getCurve: (place, key, pixels) =>
      ask<ICurve>(
        at(place, 'metric'),
        { notebook: place.notebook, key, pixels },
        body => Array.isArray(body.steps)
      ),
    listCells: (place, offset) =>
      ask<ICellsPage>(
        at(place, 'cells'),
        { notebook: place.notebook, offset },
        body => Array.isArray(body.cells)
      ),
    getSurroundings: place =>
      ask<ISurroundings>(
        at(place, 'surroundings'),
        { notebook: place.notebook },
        body => 'environment' in body
      ),
    readArtifact: (place, path) =>
      requestBytes(
        at(place, 'artifact'),
        { notebook: place.notebook, path },
        settings
      ),
    compareRuns: (runIds, notebook, offset) =>
      ask<IComparison>('compare', { run: runIds, notebook, offset }, body =>
        Array.isArray(body.rows)
      ),
    editRun: (place, change) =>
      ask<IRun>(at(place), { notebook: place.notebook }, isRun, {
        method: 'PATCH',
        body: change
      }),
    deleteRun: async place => {
      await ask<IRun>(at(place), { notebook: place.notebook }, isRun, {
        method: 'DELETE'
      });
    },
    restoreRun: place =>
      ask<IRun>(at(place, 'restore'), { notebook: place.notebook }, isRun, {
        method: 'POST'
      })
  };
}

namespace Private {
  export const isText = (value: unknown) => typeof value === 'string';

  export const isRun = (body: Partial<IRun>) => isText(body.run_id);

  /** The route of a run, or of a part of it. */
  export const at = ({ runId }: IRunPlace, ...rest: string[]) =>
    ['runs', encodeURIComponent(runId), ...rest].join('/');
}
