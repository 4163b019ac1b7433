/**
 * The only file that speaks to the server; it tells apart why an answer may be missing.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { IProblem, ProblemKind } from './tokens';

/** After so long a server is treated as one that does not answer. */
const TIMEOUT_MS = 15000;

/** Files are larger than lists. */
const BYTES_TIMEOUT_MS = 120000;

/** A request that brought no usable answer. */
export class RequestError extends Error implements IProblem {
  constructor(
    readonly kind: ProblemKind,
    message = '',
    readonly hint = ''
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

/** Query arguments; null ones are left out, lists are repeated. */
export type Query = Readonly<
  Record<string, string | number | null | readonly string[]>
>;

/** What is sent along where something is to be changed. */
export interface IChange {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: object;
}

/**
 * Ask one of our routes.
 *
 * @param route - path below `/mlops-nb`
 * @param query - query arguments
 * @param settings - where the server is
 * @param timeout - milliseconds to wait for the answer
 * @param change - where something is to be changed
 * @returns the decoded body
 * @throws RequestError where there is no usable answer
 */
export async function requestAPI<T>(
  route: string,
  query: Query,
  settings: ServerConnection.ISettings,
  timeout = TIMEOUT_MS,
  change?: IChange
): Promise<T> {
  const { response, content } = await Private.ask(
    route,
    query,
    settings,
    timeout,
    change,
    answer => answer.text()
  );
  const body = Private.parse(content);
  if (response.ok && body) {
    return body as T;
  }
  throw Private.explain(response, body);
}

/**
 * Ask one of our routes for bytes.
 *
 * @param route - path below `/mlops-nb`
 * @param query - query arguments
 * @param settings - where the server is
 * @returns the bytes
 * @throws RequestError where there is no usable answer
 */
export async function requestBytes(
  route: string,
  query: Query,
  settings: ServerConnection.ISettings
): Promise<Blob> {
  const { response, content } = await Private.ask(
    route,
    query,
    settings,
    BYTES_TIMEOUT_MS,
    undefined,
    answer => answer.blob()
  );
  if (response.ok) {
    return content;
  }
  throw Private.explain(response, Private.parse(await content.text()));
}

namespace Private {
  /** Send a request and wait for the whole of its answer. */
  export async function ask<C>(
    route: string,
    query: Query,
    settings: ServerConnection.ISettings,
    timeout: number,
    change: IChange | undefined,
    read: (response: Response) => Promise<C>
  ): Promise<{ response: Response; content: C }> {
    const arguments_ = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const each of Array.isArray(value) ? (value as string[]) : [value]) {
        if (each !== null) {
          arguments_.append(name, String(each));
        }
      }
    }
    const text = arguments_.toString();
    const url =
      URLExt.join(settings.baseUrl, 'mlops-nb', route) + (text && `?${text}`);
    const clock = new AbortController();
    const timer = setTimeout(() => clock.abort(), timeout);
    try {
      const response = await ServerConnection.makeRequest(
        url,
        {
          signal: clock.signal,
          ...(change && { method: change.method }),
          ...(change?.body && { body: JSON.stringify(change.body) })
        },
        settings
      );
      return { response, content: await read(response) };
    } catch (error) {
      throw new RequestError(
        clock.signal.aborted ? 'timeout' : 'network',
        error instanceof Error ? error.message : String(error)
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** Decode a JSON object; null where the text is something else. */
  export function parse(text: string): Record<string, unknown> | null {
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === 'object' && value !== null
        ? (value as Record<string, unknown>)
        : null;
    } catch {
      return null;
    }
  }

  const read = (value: unknown) => (typeof value === 'string' ? value : '');

  /** Find out what an answer that is not the one we want means. */
  export function explain(
    response: Response,
    body: Record<string, unknown> | null
  ): RequestError {
    if (body && typeof body['error'] === 'string') {
      const kinds: Record<number, ProblemKind> = { 400: 'input', 404: 'gone' };
      return new RequestError(
        kinds[response.status] ?? 'server',
        read(body['message']),
        read(body['hint'])
      );
    }
    if (response.status === 401 || response.status === 403) {
      return new RequestError('forbidden');
    }
    // Our own routes name the error; a bare 404 is the server's, which does not know them.
    if (response.status === 404) {
      return new RequestError('missing');
    }
    return new RequestError(
      'garbage',
      `${response.status} ${response.statusText}`.trim()
    );
  }
}
