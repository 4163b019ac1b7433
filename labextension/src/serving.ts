/**
 * Serving the versions of one model: what the page of the model asks for.
 */
import type { IApi, IModelPlace } from './api';
import { RequestError } from './request';
import type { IPredictions, IServed } from './servingapi';

/** Between two questions how far a start is. */
export const PAUSE_MS = 500;

/** What the page of a model can do to serve it. */
export interface IServing {
  /** What is served of the model's store, also other models. */
  list(): Promise<readonly IServed[]>;
  start(version: number): Promise<IServed | null>;
  stop(version: number): Promise<IServed | null>;
  predict(version: number, inputs: readonly unknown[]): Promise<IPredictions>;
  copy(text: string): void;
}

/** What is asked of the server. */
export type IServingServer = Pick<
  IApi,
  'listServed' | 'startServing' | 'stopServing' | 'predict'
>;

/**
 * Bind serving to one model.
 *
 * @param api - the server
 * @param place - the model
 * @param copy - puts a text into the clipboard
 */
export function makeServing(
  api: IServingServer,
  place: IModelPlace,
  copy: (text: string) => void
): IServing {
  return {
    list: async () => (await api.listServed(place.notebook)).served,
    start: async version => (await api.startServing(place, version)).served,
    stop: async version => (await api.stopServing(place, version)).served,
    predict: (version, inputs) => api.predict(place, version, inputs),
    copy
  };
}

/** Find a version among all that is served. */
export function findServed(
  served: readonly IServed[],
  name: string,
  version: number
): IServed | null {
  return (
    served.find(each => each.name === name && each.version === version) ?? null
  );
}

/**
 * Serve a version, and wait until it answers; the server gives up after a while.
 *
 * @param serving - the model's
 * @param name - the model
 * @param version - the version
 * @param pause - milliseconds between two questions
 * @throws RequestError where it ended before it answered
 */
export async function serveUntilReady(
  serving: IServing,
  name: string,
  version: number,
  pause = PAUSE_MS
): Promise<void> {
  let served = await serving.start(version);
  while (served?.status === 'starting') {
    await new Promise(resolve => setTimeout(resolve, pause));
    served = findServed(await serving.list(), name, version);
  }
  if (served?.status !== 'serving') {
    const { message = '', hint = '' } = served?.problem ?? {};
    throw new RequestError('server', message, hint);
  }
}
