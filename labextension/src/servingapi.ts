/**
 * The routes that serve a model's version and ask it, as typed functions.
 */
import type { IModelPlace } from './api';
import type { Ask } from './runagainapi';

/** A version that the server serves, or served until it ended by itself. */
export interface IServed {
  readonly name: string;
  readonly version: number;
  readonly status: 'starting' | 'serving' | 'stopping' | 'stopped' | 'ended';
  readonly url: string | null;
  /** Why it ended. */
  readonly problem: { readonly message: string; readonly hint: string } | null;
  /** What requests to the address need; null for who may run no code here. */
  readonly token: string | null;
}

/** What a model answered. */
export interface IPredictions {
  /** One a row. */
  readonly predictions: readonly unknown[];
  readonly probabilities: readonly unknown[] | null;
  readonly classes: readonly unknown[] | null;
  readonly warnings: readonly string[];
  /** What it found wrong, and where in the request. */
  readonly problem: {
    readonly message: string;
    readonly hint: string;
    readonly path: string;
  } | null;
}

/** What can be asked about serving. */
export interface IServingApi {
  listServed(
    notebook: string
  ): Promise<{ readonly served: readonly IServed[] }>;
  startServing(place: IModelPlace, version: number): Promise<IServingAnswer>;
  stopServing(place: IModelPlace, version: number): Promise<IServingAnswer>;
  predict(
    place: IModelPlace,
    version: number,
    inputs: readonly unknown[]
  ): Promise<IPredictions>;
}

/** What became of a version; null where nothing was left to stop. */
export interface IServingAnswer {
  readonly served: IServed | null;
}

const at = ({ model }: IModelPlace, version: number, part: string) =>
  ['models', encodeURIComponent(model), 'versions', version, part].join('/');

/**
 * Bind the routes that serve.
 *
 * @param ask - asks one route
 */
export function askForServing(ask: Ask): IServingApi {
  const change = (
    method: 'POST' | 'DELETE',
    place: IModelPlace,
    version: number
  ) =>
    ask<IServingAnswer>(
      at(place, version, 'serving'),
      { notebook: place.notebook },
      body => 'served' in body,
      { method }
    );
  return {
    listServed: notebook =>
      ask<{ readonly served: readonly IServed[] }>(
        'serving',
        { notebook },
        body => Array.isArray(body.served)
      ),
    startServing: (place, version) => change('POST', place, version),
    stopServing: (place, version) => change('DELETE', place, version),
    predict: (place, version, inputs) =>
      ask<IPredictions>(
        at(place, version, 'predictions'),
        { notebook: place.notebook },
        body => Array.isArray(body.predictions),
        { method: 'POST', body: { inputs } }
      )
  };
}
