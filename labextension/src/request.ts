/**
 * The only file that speaks to the server; it tells apart why an answer may be missing.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { IProblem, ProblemKind } from './tokens';

/** After so long a server is treated as one that does not answer. */
const TIMEOUT_MS = 15000;

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

/**
 * Ask one of our routes.
 *
 * @param route - path below `/mlops-nb`
 * @param query - query arguments; null ones are left out
 * @param settings - where the server is
 * @param timeout - milliseconds to wait for the answer
 * @returns the decoded body
 * @throws RequestError where there is no usable answer
 */
export async function requestAPI<T>(
  route: string,
  query: Readonly<Record<string, string | number | null>>,
  settings: ServerConnection.ISettings,
  timeout = TIMEOUT_MS
): Promise<T> {
  const given = Object.entries(query).filter(([, value]) => value !== null);
  const url =
    URLExt.join(settings.baseUrl, 'mlops-nb', route) +
    URLExt.objectToQueryString(Object.fromEntries(given));
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), timeout);
  let response: Response;
  let text: string;
  try {
    response = await ServerConnection.makeRequest(
      url,
      { signal: clock.signal },
      settings
    );
    text = await response.text();
  } catch (error) {
    throw new RequestError(
      clock.signal.aborted ? 'timeout' : 'network',
      error instanceof Error ? error.message : String(error)
    );
  } finally {
    clearTimeout(timer);
  }
  const body = Private.parse(text);
  if (response.ok && body) {
    return body as T;
  }
  throw Private.explain(response, body);
}

namespace Private {
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
      return new RequestError(
        'server',
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
