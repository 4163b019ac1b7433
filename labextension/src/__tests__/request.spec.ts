import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';

import { createApi } from '../api';
import { FIRST_QUERY } from '../model';
import { requestAPI, requestBytes, RequestError } from '../request';
import { makePage, makeRun } from './fixtures';

type Fetch = (request: Request) => Promise<Response>;

function connect(fetch: Fetch): ServerConnection.ISettings {
  return ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/user/ada/',
    fetch: fetch as ServerConnection.ISettings['fetch']
  });
}

function answer(status: number, body: string): ServerConnection.ISettings {
  return connect(() => Promise.resolve(new Response(body, { status })));
}

async function catchProblem(promise: Promise<unknown>): Promise<RequestError> {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    return error as RequestError;
  }
  throw new Error('it went well');
}

describe('requestAPI', () => {
  it('asks below the base URL, with query, without what is null', async () => {
    let url = '';
    const settings = connect(request => {
      url = request.url;
      return Promise.resolve(new Response('{"ok": 1}'));
    });
    const query = { notebook: "a b/it's.ipynb", limit: 5, filter: null };
    await expect(requestAPI('runs', query, settings)).resolves.toEqual({
      ok: 1
    });
    const asked = new URL(url);
    expect(asked.pathname).toBe('/user/ada/mlops-nb/runs');
    expect(asked.searchParams.get('notebook')).toBe("a b/it's.ipynb");
    expect(asked.searchParams.get('limit')).toBe('5');
    expect(asked.searchParams.has('filter')).toBe(false);
  });

  it.each([
    [404, '{"message": "Not Found"}', 'missing'],
    [404, '<html>', 'missing'],
    [403, '{"message": "Forbidden"}', 'forbidden'],
    [401, '', 'forbidden'],
    [502, '<html>Bad gateway</html>', 'garbage'],
    [200, '<html>log in</html>', 'garbage'],
    [200, 'null', 'garbage'],
    [500, '{"message": "Unhandled error"}', 'garbage']
  ])('reads %i with %s as %s', async (status, body, kind) => {
    const problem = await catchProblem(
      requestAPI('status', {}, answer(status, body))
    );
    expect(problem.kind).toBe(kind);
  });

  it('passes on what the server says of its own errors', async () => {
    const body = { error: 'RunNotFoundError', message: 'no run', hint: 'look' };
    const problem = await catchProblem(
      requestAPI('runs/x', {}, answer(404, JSON.stringify(body)))
    );
    expect(problem).toMatchObject({
      kind: 'gone',
      message: 'no run',
      hint: 'look'
    });
  });

  it('survives an error without text', async () => {
    const problem = await catchProblem(
      requestAPI('runs', {}, answer(500, '{"error": "X", "message": {}}'))
    );
    expect(problem).toMatchObject({ kind: 'server', message: '', hint: '' });
  });

  it('tells a server that is away', async () => {
    const settings = connect(() => Promise.reject(new TypeError('refused')));
    const problem = await catchProblem(requestAPI('status', {}, settings));
    expect(problem.kind).toBe('network');
  });

  it('gives up on a server that never answers', async () => {
    const settings = connect(
      request =>
        new Promise((_, reject) => {
          request.signal.addEventListener('abort', () =>
            reject(new TypeError('aborted'))
          );
        })
    );
    const problem = await catchProblem(requestAPI('status', {}, settings, 20));
    expect(problem.kind).toBe('timeout');
  });
});

describe('createApi', () => {
  it('gives a page as it was sent', async () => {
    const page = makePage([makeRun()]);
    const api = createApi(answer(200, JSON.stringify(page)));
    const options = {
      ...FIRST_QUERY,
      notebook: 'a.ipynb',
      limit: 25,
      offset: 0
    };
    await expect(api.listRuns(options)).resolves.toEqual(page);
  });

  it('refuses JSON that is not ours', async () => {
    const api = createApi(answer(200, '{"kernels": []}'));
    const options = {
      ...FIRST_QUERY,
      notebook: 'a.ipynb',
      limit: 25,
      offset: 0
    };
    const problems = [
      await catchProblem(api.listRuns(options)),
      await catchProblem(api.getStatus())
    ];
    expect(problems.map(problem => problem.kind)).toEqual([
      'garbage',
      'garbage'
    ]);
  });
});

describe('createApi', () => {
  const place = { runId: 'a/b', notebook: 'n.ipynb' };

  it('sends changes as JSON, and lists by name', async () => {
    const asked: { method: string; url: string; body: string }[] = [];
    const settings = connect(async request => {
      const body = await request.text();
      asked.push({ method: request.method, url: request.url, body });
      return new Response('{"run_id": "a", "rows": [], "runs": []}');
    });
    const api = createApi(settings);
    await api.editRun(place, { name: 'new', tags: { a: 'b' } });
    await api.deleteRun(place);
    await api.restoreRun(place);
    await api.compareRuns(['x', 'y'], 'n.ipynb', 0);
    await api.listRuns({
      ...FIRST_QUERY,
      filter: "a = 'b & c'",
      orderBy: 'name ASC',
      notebook: 'n.ipynb',
      limit: 1,
      offset: 0
    });
    expect(asked.map(({ method }) => method)).toEqual([
      'PATCH',
      'DELETE',
      'POST',
      'GET',
      'GET'
    ]);
    expect(asked[0]?.body).toBe('{"name":"new","tags":{"a":"b"}}');
    const paths = asked.map(({ url }) => new URL(url).pathname);
    expect(paths[0]).toBe('/user/ada/mlops-nb/runs/a%2Fb');
    expect(paths[2]).toBe('/user/ada/mlops-nb/runs/a%2Fb/restore');
    const query = (index: number) =>
      new URL(asked[index]?.url ?? '').searchParams;
    expect(query(3).getAll('run')).toEqual(['x', 'y']);
    expect(query(4).get('filter')).toBe("a = 'b & c'");
    expect(query(4).get('order_by')).toBe('name ASC');
  });

  it('refuses answers that are JSON but not ours, for every question', async () => {
    const api = createApi(answer(200, '{"hello": 1}'));
    for (const promise of [
      api.getRun(place),
      api.getCurve(place, 'k', 5),
      api.listCells(place, 0),
      api.getSurroundings(place),
      api.compareRuns([], '', 0),
      api.editRun(place, {}),
      api.deleteRun(place),
      api.restoreRun(place)
    ]) {
      expect((await catchProblem(promise)).kind).toBe('garbage');
    }
  });
});

describe('requestBytes', () => {
  it('gives bytes as they are, and tells what is wrong', async () => {
    const blob = await requestBytes('x', {}, answer(200, '<b>not JSON</b>'));
    expect(await blob.text()).toBe('<b>not JSON</b>');
    const body = '{"error": "NotFoundError", "message": "no such", "hint": ""}';
    const missing = await catchProblem(
      requestBytes('x', {}, answer(404, body))
    );
    expect([missing.kind, missing.message]).toEqual(['gone', 'no such']);
    const wrong = await catchProblem(requestBytes('x', {}, answer(400, body)));
    expect(wrong.kind).toBe('input');
  });
});
