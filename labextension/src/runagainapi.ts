/**
 * The routes of what is done with a run once more, as typed functions.
 */
import type { IJobAnswer, IRunPlace } from './api';
import type { IChange, Query } from './request';
import type { IModelVersion } from './tokens';

/** Asks one route. */
export type Ask = <T>(
  route: string,
  query: Query,
  isOurs: (body: Partial<T>) => boolean,
  change?: IChange
) => Promise<T>;

/** What the model of a run is registered as, and who may still have it. */
export interface IRegistration {
  readonly versions: readonly IModelVersion[];
  /** As Jupyter names the kernel that recorded the run; null where none is known. */
  readonly kernel_id: string | null;
}

/** The code of a run as a script. */
export interface IRunScript {
  readonly name: string;
  readonly source: string;
}

/** Under which name a model is registered; empty for no alias and no reason. */
export interface IRegisterWish {
  readonly name: string;
  readonly alias: string;
  readonly reason: string;
}

/** What can be asked about a run once more. */
export interface IRunAgainApi {
  getReproduction(place: IRunPlace): Promise<IJobAnswer>;
  startReproduction(place: IRunPlace, anyway: boolean): Promise<IJobAnswer>;
  cancelReproduction(place: IRunPlace): Promise<IJobAnswer>;
  getRegistration(place: IRunPlace): Promise<IRegistration>;
  registerRun(place: IRunPlace, wish: IRegisterWish): Promise<IModelVersion>;
  getScript(place: IRunPlace): Promise<IRunScript>;
}

/** The route of a run, or of a part of it. */
const at = ({ runId }: IRunPlace, part: string) =>
  ['runs', encodeURIComponent(runId), part].join('/');

const isText = (value: unknown) => typeof value === 'string';

const hasJob = (body: Partial<IJobAnswer>) => 'job' in body;

/**
 * Bind the routes of a run once more.
 *
 * @param ask - asks one route
 */
export function askOnceMore(ask: Ask): IRunAgainApi {
  return {
    getReproduction: place =>
      ask<IJobAnswer>(
        at(place, 'reproduction'),
        { notebook: place.notebook },
        hasJob
      ),
    startReproduction: (place, anyway) =>
      ask<IJobAnswer>(
        at(place, 'reproduction'),
        { notebook: place.notebook },
        hasJob,
        { method: 'POST', body: { anyway } }
      ),
    cancelReproduction: place =>
      ask<IJobAnswer>(
        at(place, 'reproduction'),
        { notebook: place.notebook },
        hasJob,
        { method: 'DELETE' }
      ),
    getRegistration: place =>
      ask<IRegistration>(
        at(place, 'registration'),
        { notebook: place.notebook },
        body => Array.isArray(body.versions)
      ),
    registerRun: (place, wish) =>
      ask<IModelVersion>(
        at(place, 'registration'),
        { notebook: place.notebook },
        body => typeof body.version === 'number',
        { method: 'POST', body: wish }
      ),
    getScript: place =>
      ask<IRunScript>(
        at(place, 'script'),
        { notebook: place.notebook },
        body => isText(body.source) && isText(body.name)
      )
  };
}
