/**
 * Runs as the server sends them, a fake server, and a place to mount components.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { vi } from 'vitest';

import type {
  IApi,
  IListRunsOptions,
  IModelPlace,
  IPromotion,
  IRunPlace
} from '../api';
import type { IRunActions } from '../components/run';
import type { IDatasetProfile, IDifferences, IUses } from '../datawords';
import type { INotebookNews } from '../notebookwords';
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
  IRun,
  IRunDetails,
  IRunsPage,
  IStep,
  ISuggestion,
  ISurroundings,
  IWholeModelVersion
} from '../tokens';
import { RequestError } from '../request';
import type { IRegisterWish, IRegistration } from '../runagainapi';
import { VERSION } from '../tokens';

export { FakeBridge, FakeCells } from './fakes';
export { act, mount } from './mounting';

export const NOW = '2026-11-21T10:00:00.000+00:00';
export const trans = nullTranslator.load('mlops_nb');

export function makeRun(changes: Partial<IRun> = {}): IRun {
  return {
    run_id: '0193',
    name: 'baseline',
    experiment: 'default',
    status: 'finished',
    started_at: '2026-11-21T09:58:00.000+00:00',
    ended_at: '2026-11-21T09:58:12.500+00:00',
    duration_s: 12.5,
    metrics: { accuracy: 0.93567, loss: 0.0001234 },
    params: { C: 0.5 },
    tags: {},
    ...changes
  };
}

export function makePage(
  runs: readonly IRun[],
  changes: Partial<IRunsPage> = {}
): IRunsPage {
  return { runs, limit: 25, offset: 0, has_more: false, now: NOW, ...changes };
}

export function makeDetails(changes: Partial<IRunDetails> = {}): IRunDetails {
  return {
    ...makeRun(),
    artifacts: [],
    artifact_count: 0,
    cell_count: 0,
    datasets: [],
    environment: null,
    code: null,
    parent_run_id: null,
    notebook: null,
    user: 'ada',
    host: 'engine',
    ...changes
  };
}

export function makeCurve(changes: Partial<ICurve> = {}): ICurve {
  const values = [1, 0.5, 0.25];
  return {
    key: 'loss',
    count: 3,
    steps: [0, 1, 2],
    lows: values,
    highs: values,
    ...changes
  };
}

export function makeVersion(
  changes: Partial<IWholeModelVersion> = {}
): IWholeModelVersion {
  return {
    name: 'iris',
    version: 1,
    flavor: 'skops',
    digest: 'd'.repeat(64),
    size_bytes: 2048,
    registered_at: '2026-11-21T09:58:00.000+00:00',
    model_class: 'sklearn.linear_model.LogisticRegression',
    run_id: null,
    datasets: [],
    environment: null,
    code: null,
    metrics: { accuracy: 0.9 },
    user: 'ada',
    aliases: [],
    is_damaged: false,
    signature: null,
    input_count: 0,
    ...changes
  };
}

export function makeModelsPage(
  models: IModelsPage['models'],
  changes: Partial<IModelsPage> = {}
): IModelsPage {
  return { models, limit: 50, offset: 0, has_more: false, ...changes };
}

export function makeModel(
  versions: readonly IModelVersion[],
  changes: Partial<IModelDetails> = {}
): IModelDetails {
  return {
    name: 'iris',
    versions,
    version_count: versions.length,
    offset: 0,
    limit: 50,
    aliases: {},
    changes: [],
    change_count: 0,
    ...changes
  };
}

export function makeStep(name: string, changes: Partial<IStep> = {}): IStep {
  return {
    name,
    cells: [{ index: 1, id: `id-${name}` }],
    after: [],
    needs: [],
    provides: [],
    foreseen: 'runs',
    reason: 'it has not run yet',
    loop: '',
    ...changes
  };
}

export function makePipeline(
  steps: readonly IStep[],
  changes: Partial<IPipeline> = {}
): IPipeline {
  return {
    steps,
    step_count: steps.length,
    edges: [],
    parameters: [],
    prelude: [],
    skipped: [],
    is_tagged: true,
    problem: null,
    ...changes
  };
}

export function makeJob(changes: Partial<IJob> = {}): IJob {
  return {
    job_id: 'j',
    mode: 'run',
    status: 'running',
    started_at: '2026-11-21T09:58:00.000+00:00',
    ended_at: null,
    steps: [],
    notices: [],
    run_id: null,
    metrics: {},
    verification: null,
    verdict: null,
    problem: null,
    now: NOW,
    ...changes
  };
}

/** Actions that are always done. */
export function makeActions(): IRunActions {
  return {
    onOpen: vi.fn(),
    onRename: vi.fn(() => Promise.resolve(true)),
    onTag: vi.fn(() => Promise.resolve(true)),
    onUntag: vi.fn(),
    onPin: vi.fn(),
    onDelete: vi.fn()
  };
}

/** A server that answers from memory and remembers what it was asked. */
export class FakeApi implements IApi {
  page: IRunsPage = makePage([]);
  version = VERSION;
  failure: unknown = null;
  details: IRunDetails = makeDetails();
  curve: ICurve = makeCurve();
  cells: ICellsPage = { cells: [], count: 0, offset: 0 };
  surroundings: ISurroundings = { environment: null, code: null };
  comparison: IComparison = { runs: [], rows: [], count: 0, offset: 0 };
  models: IModelsPage = makeModelsPage([]);
  modelDetails: IModelDetails = makeModel([]);
  versions: readonly IWholeModelVersion[] = [];
  /** Changes, in words. */
  readonly done: string[] = [];
  readonly asked: IListRunsOptions[] = [];
  statusCount = 0;

  getStatus() {
    this.statusCount++;
    return this._answer({ version: this.version, store: '/s' });
  }

  listRuns(options: IListRunsOptions) {
    this.asked.push(options);
    return this._answer(this.page);
  }

  getRun() {
    return this._answer(this.details);
  }

  registration: IRegistration = { versions: [], kernel_id: null };
  getReproduction = () => this._answer({ job: this.job });
  getRegistration = () => this._answer(this.registration);
  getScript = () => this._answer({ name: 'it-0193.py', source: 'x = 1' });

  async startReproduction(place: IRunPlace, anyway: boolean) {
    await this._do(`reproduce ${place.runId} ${anyway}`);
    return { job: this.job };
  }

  async cancelReproduction(place: IRunPlace) {
    await this._do(`cancel ${place.runId}`);
    return { job: this.job };
  }

  async registerRun(place: IRunPlace, wish: IRegisterWish) {
    await this._do(`register ${place.runId} ${Object.values(wish).join()}`);
    return makeVersion({});
  }

  getCurve(_: IRunPlace, key: string) {
    return this._answer({ ...this.curve, key });
  }

  listCells(_: IRunPlace, offset: number) {
    return this._answer({ ...this.cells, offset });
  }

  getSurroundings() {
    return this._answer(this.surroundings);
  }

  readArtifact(_: IRunPlace, path: string) {
    return this._answer(new Blob([path]));
  }

  compareRuns() {
    return this._answer(this.comparison);
  }

  editRun(place: IRunPlace, change: object) {
    return this._do(`edit ${place.runId} ${JSON.stringify(change)}`);
  }

  async deleteRun(place: IRunPlace) {
    await this._do(`delete ${place.runId}`);
  }

  restoreRun(place: IRunPlace) {
    return this._do(`restore ${place.runId}`);
  }

  listModels(_: string, offset: number) {
    return this._answer({ ...this.models, offset });
  }

  getModel(_: IModelPlace, offset: number) {
    return this._answer({ ...this.modelDetails, offset });
  }

  getModelVersion(_: IModelPlace, version: number) {
    const found = this.versions.find(each => each.version === version);
    return found
      ? this._answer(found)
      : Promise.reject(new RequestError('server', `no version ${version}`));
  }

  listServed = () => this._answer({ served: [] });
  startServing = () => this._answer({ served: null });
  stopServing = this.startServing;
  predict = () => Promise.reject(new Error('not served'));
  async setAlias(place: IModelPlace, { alias, version, reason }: IPromotion) {
    await this._do(`${place.model}@${alias} = ${version}: ${reason}`);
    return makeVersion({ version });
  }

  pipeline: IPipeline = makePipeline([]);
  job: IJob | null = null;
  refusal: IPipelineProblem | null = null;
  dependencies: readonly IDependency[] = [];
  suggestions: readonly ISuggestion[] = [];

  getPipeline() {
    return this._answer(this.pipeline);
  }

  explainStep() {
    return this._answer({ dependencies: this.dependencies });
  }

  suggestSteps() {
    return this._answer({ suggestions: this.suggestions });
  }

  getJob() {
    return this._answer({ job: this.job });
  }

  news: INotebookNews = {
    session: null,
    executions: [],
    from: 0,
    count: 0,
    runs: [],
    now: NOW
  };

  getNotebook() {
    return this._answer(this.news);
  }

  uses: IUses = {
    datasets: [],
    dataset_count: 0,
    environments: [],
    environment_count: 0,
    run_count: 0
  };
  profile: IDatasetProfile = { rows: 0, column_count: 0, columns: [] };
  differences: IDifferences = { rows: [], count: 0 };

  getUses() {
    return this._answer(this.uses);
  }

  profileData() {
    return this._answer(this.profile);
  }

  diffEnvironments() {
    return this._answer(this.differences);
  }

  async startJob(_: string, request: IJobRequest) {
    await this._do(`run ${JSON.stringify(request)}`);
    return { job: this.job, problem: this.refusal };
  }

  async cancelJob() {
    await this._do('cancel');
    return { job: this.job };
  }

  async exportScript(notebook: string) {
    await this._do(`export ${notebook}`);
    return { path: notebook.replace('.ipynb', '.py') };
  }

  private async _do(change: string): Promise<IRun> {
    const run = await this._answer(makeRun());
    this.done.push(change);
    return run;
  }

  private _answer<T>(value: T): Promise<T> {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- any failure
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(value);
  }
}
