/**
 * One typed function per route.
 */
import type { ServerConnection } from '@jupyterlab/services';

import type { Ask, IRunAgainApi } from './runagainapi';
import { askOnceMore } from './runagainapi';
import type { IServingApi } from './servingapi';
import { askForServing } from './servingapi';
import type {
  IDatasetProfile,
  IDifferences,
  IUses,
  IVersionPlace
} from './datawords';
import type { INotebookNews } from './notebookwords';
import type { IChange, Query } from './request';
import { requestAPI, requestBytes, RequestError } from './request';
import type {
  ICellsPage,
  IComparison,
  ICurve,
  IDependency,
  IJob,
  IJobRequest,
  IModelDetails,
  IModelsPage,
  IModelVersion,
  IPipeline,
  IPipelineProblem,
  IQuery,
  IRun,
  IRunDetails,
  IRunsPage,
  IStatus,
  ISuggestion,
  ISurroundings,
  IWholeModelVersion,
  OtherRun
} from './tokens';

/** Where a run is: its id, and the notebook whose project's store keeps it. */
export interface IRunPlace {
  readonly runId: string;
  /** Path from the server's root. */
  readonly notebook: string;
}

/** Where a registered model is: its name, and the notebook whose project's store keeps it. */
export interface IModelPlace {
  readonly model: string;
  /** Path from the server's root. */
  readonly notebook: string;
}

/** What an alias shall name from now on, and why. */
export interface IPromotion {
  readonly alias: string;
  readonly version: number;
  readonly reason: string;
}

export interface IListRunsOptions extends IQuery {
  /** Path of the notebook from the server's root. */
  readonly notebook: string;
  readonly limit: number;
  readonly offset: number;
}

/** What of a notebook is known already. */
export interface INotebookQuestion {
  /** Path from the server's root. */
  readonly notebook: string;
  /** As Jupyter names the kernel; empty where there is none. */
  readonly kernel: string;
  /** The session that `since` counts in; empty for none. */
  readonly session: string;
  /** So many executions are known. */
  readonly since: number;
}

/** What can be asked about the notebook in view. */
export interface INotebookApi {
  getNotebook(question: INotebookQuestion): Promise<INotebookNews>;
}

/** What can be asked about runs. */
export interface IRunsApi {
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
    offset: number,
    /** Which other one stands beside one run. */
    beside?: OtherRun
  ): Promise<IComparison>;
  editRun(
    place: IRunPlace,
    change: {
      readonly name?: string;
      /** A null takes a tag away. */
      readonly tags?: Readonly<Record<string, string | null>>;
    }
  ): Promise<IRun>;
  deleteRun(place: IRunPlace): Promise<void>;
  restoreRun(place: IRunPlace): Promise<IRun>;
}

/** What can be asked about registered models. */
export interface IModelsApi {
  listModels(notebook: string, offset: number): Promise<IModelsPage>;
  getModel(place: IModelPlace, offset: number): Promise<IModelDetails>;
  getModelVersion(
    place: IModelPlace,
    version: number
  ): Promise<IWholeModelVersion>;
  setAlias(place: IModelPlace, promotion: IPromotion): Promise<IModelVersion>;
}

/** A run of a pipeline, or why there is none. */
export interface IJobAnswer {
  readonly job: IJob | null;
  readonly problem?: IPipelineProblem | null;
}

/** What can be asked about the pipeline of a notebook. */
export interface IPipelineApi {
  getPipeline(notebook: string): Promise<IPipeline>;
  explainStep(
    notebook: string,
    step: string
  ): Promise<{ readonly dependencies: readonly IDependency[] }>;
  suggestSteps(
    notebook: string
  ): Promise<{ readonly suggestions: readonly ISuggestion[] }>;
  getJob(notebook: string): Promise<IJobAnswer>;
  startJob(notebook: string, request: IJobRequest): Promise<IJobAnswer>;
  cancelJob(notebook: string): Promise<IJobAnswer>;
  exportScript(notebook: string): Promise<{ readonly path: string }>;
}

/** What can be asked about data and environments. */
export interface IDataApi {
  getUses(notebook: string): Promise<IUses>;
  profileData(place: IVersionPlace): Promise<IDatasetProfile>;
  diffEnvironments(
    notebook: string,
    before: string,
    after: string
  ): Promise<IDifferences>;
}

/** What can be asked of the server; tests put their own in its place. */
export interface IApi
  extends
    IRunsApi,
    IRunAgainApi,
    IModelsApi,
    IServingApi,
    IPipelineApi,
    INotebookApi,
    IDataApi {}

/**
 * Bind the routes to a server.
 *
 * @param settings - where the server is
 * @returns one function per route
 */
export function createApi(settings: ServerConnection.ISettings): IApi {
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
    ...Private.askForRuns(ask, settings),
    ...askOnceMore(ask),
    ...Private.askForModels(ask),
    ...askForServing(ask),
    ...Private.askForPipelines(ask),
    ...Private.askForData(ask),
    getNotebook: question =>
      ask<INotebookNews>(
        'notebook',
        { ...question },
        body => Array.isArray(body.executions) && Array.isArray(body.runs)
      )
  };
}

namespace Private {
  const isText = (value: unknown) => typeof value === 'string';

  const isRun = (body: Partial<IRun>) => isText(body.run_id);

  const hasVersion = (body: { readonly version?: number }) =>
    typeof body.version === 'number';

  const hasJob = (body: Partial<IJobAnswer>) => 'job' in body;

  /** The route of a run, or of a part of it. */
  const at = ({ runId }: IRunPlace, ...rest: string[]) =>
    ['runs', encodeURIComponent(runId), ...rest].join('/');

  /** The route of a model, or of a part of it. */
  const atModel = ({ model }: IModelPlace, ...rest: string[]) =>
    ['models', ...[model, ...rest].map(encodeURIComponent)].join('/');

  export function askForRuns(
    ask: Ask,
    settings: ServerConnection.ISettings
  ): IRunsApi {
    return {
      getStatus: () => ask<IStatus>('status', {}, body => isText(body.version)),
      listRuns: ({ orderBy, filter, groupBy, ...rest }) =>
        ask<IRunsPage>(
          'runs',
          {
            ...rest,
            filter: filter || null,
            // Groups stay whole over pages where their field decides first.
            order_by: [groupBy, orderBy].filter(each => each !== null)
          },
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
      compareRuns: (runIds, notebook, offset, beside) =>
        ask<IComparison>(
          'compare',
          { run: runIds, notebook, offset, beside: beside ?? null },
          body => Array.isArray(body.rows)
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

  export function askForData(ask: Ask): IDataApi {
    return {
      getUses: notebook =>
        ask<IUses>(
          'data',
          { notebook },
          body =>
            Array.isArray(body.datasets) && Array.isArray(body.environments)
        ),
      profileData: place =>
        ask<IDatasetProfile>('data/profile', { ...place }, body =>
          Array.isArray(body.columns)
        ),
      diffEnvironments: (notebook, before, after) =>
        ask<IDifferences>('environment', { notebook, before, after }, body =>
          Array.isArray(body.rows)
        )
    };
  }

  export function askForModels(ask: Ask): IModelsApi {
    return {
      listModels: (notebook, offset) =>
        ask<IModelsPage>('models', { notebook, offset }, body =>
          Array.isArray(body.models)
        ),
      getModel: (place, offset) =>
        ask<IModelDetails>(
          atModel(place),
          { notebook: place.notebook, offset },
          body => Array.isArray(body.versions) && Array.isArray(body.changes)
        ),
      getModelVersion: (place, version) =>
        ask<IWholeModelVersion>(
          atModel(place, 'versions', String(version)),
          { notebook: place.notebook },
          body => hasVersion(body) && 'signature' in body
        ),
      setAlias: (place, { alias, version, reason }) =>
        ask<IModelVersion>(
          atModel(place, 'aliases', alias),
          { notebook: place.notebook },
          hasVersion,
          { method: 'PUT', body: { version, reason } }
        )
    };
  }

  export function askForPipelines(ask: Ask): IPipelineApi {
    return {
      getPipeline: notebook =>
        ask<IPipeline>('pipeline', { notebook }, body =>
          Array.isArray(body.steps)
        ),
      explainStep: (notebook, step) =>
        ask<{ readonly dependencies: readonly IDependency[] }>(
          'pipeline/why',
          { notebook, step },
          body => Array.isArray(body.dependencies)
        ),
      suggestSteps: notebook =>
        ask<{ readonly suggestions: readonly ISuggestion[] }>(
          'pipeline/suggestions',
          { notebook },
          body => Array.isArray(body.suggestions)
        ),
      getJob: notebook => ask<IJobAnswer>('pipeline/run', { notebook }, hasJob),
      startJob: (notebook, request) =>
        ask<IJobAnswer>('pipeline/run', { notebook }, hasJob, {
          method: 'POST',
          body: request
        }),
      cancelJob: notebook =>
        ask<IJobAnswer>('pipeline/run', { notebook }, hasJob, {
          method: 'DELETE'
        }),
      exportScript: notebook =>
        ask<{ readonly path: string }>(
          'pipeline/export',
          { notebook },
          body => isText(body.path),
          { method: 'POST', body: { to: 'script' } }
        )
    };
  }
}
