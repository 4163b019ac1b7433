import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';

import type { IApi } from '../api';
import { createApi } from '../api';
import { RequestError } from '../request';

const run = { runId: 'a/b c', notebook: 'n.ipynb' };
const model = { model: 'iris ü/1', notebook: 'n.ipynb' };
const version = { run: 'r', fingerprint: 'f', notebook: 'n.ipynb' };
const wish = { name: 'iris', alias: 'champion', reason: 'better' };
const question = { notebook: 'n.ipynb', kernel: 'k', session: 's', since: 3 };

/** A question, its route, an answer that fits, and what is sent along. */
type Row = readonly [
  (api: IApi) => Promise<unknown>,
  string,
  Record<string, unknown>,
  unknown?
];

const ROWS: readonly Row[] = [
  [api => api.getStatus(), 'GET status', { version: '0.1.0' }],
  [
    api => api.getNotebook(question),
    'GET notebook?notebook=n.ipynb&kernel=k&session=s&since=3',
    { executions: [], runs: [] }
  ],
  [
    api => api.getRun(run),
    'GET runs/a%2Fb%20c?notebook=n.ipynb',
    { run_id: 'r', artifacts: [] }
  ],
  [
    api => api.getCurve(run, 'a&b', 400),
    'GET runs/a%2Fb%20c/metric?notebook=n.ipynb&key=a%26b&pixels=400',
    { steps: [] }
  ],
  [
    api => api.listCells(run, 50),
    'GET runs/a%2Fb%20c/cells?notebook=n.ipynb&offset=50',
    { cells: [] }
  ],
  [
    api => api.getSurroundings(run),
    'GET runs/a%2Fb%20c/surroundings?notebook=n.ipynb',
    { environment: null }
  ],
  [
    api => api.compareRuns(['x', 'y'], 'n.ipynb', 0),
    'GET compare?run=x&run=y&notebook=n.ipynb&offset=0',
    { rows: [] }
  ],
  [
    api => api.editRun(run, { tags: { owner: null } }),
    'PATCH runs/a%2Fb%20c?notebook=n.ipynb',
    { run_id: 'r' },
    { tags: { owner: null } }
  ],
  [
    api => api.restoreRun(run),
    'POST runs/a%2Fb%20c/restore?notebook=n.ipynb',
    { run_id: 'r' }
  ],
  [
    api => api.getReproduction(run),
    'GET runs/a%2Fb%20c/reproduction?notebook=n.ipynb',
    { job: null }
  ],
  [
    api => api.startReproduction(run, true),
    'POST runs/a%2Fb%20c/reproduction?notebook=n.ipynb',
    { job: null },
    { anyway: true }
  ],
  [
    api => api.cancelReproduction(run),
    'DELETE runs/a%2Fb%20c/reproduction?notebook=n.ipynb',
    { job: null }
  ],
  [
    api => api.getRegistration(run),
    'GET runs/a%2Fb%20c/registration?notebook=n.ipynb',
    { versions: [], kernel_id: null }
  ],
  [
    api => api.registerRun(run, wish),
    'POST runs/a%2Fb%20c/registration?notebook=n.ipynb',
    { version: 1 },
    wish
  ],
  [
    api => api.getScript(run),
    'GET runs/a%2Fb%20c/script?notebook=n.ipynb',
    { name: 'x.py', source: '' }
  ],
  [
    api => api.listModels('n.ipynb', 50),
    'GET models?notebook=n.ipynb&offset=50',
    { models: [] }
  ],
  [
    api => api.getModel(model, 0),
    'GET models/iris%20%C3%BC%2F1?notebook=n.ipynb&offset=0',
    { versions: [], changes: [] }
  ],
  [
    api => api.getModelVersion(model, 3),
    'GET models/iris%20%C3%BC%2F1/versions/3?notebook=n.ipynb',
    { version: 3, signature: null }
  ],
  [
    api => api.setAlias(model, { alias: 'a/b', version: 3, reason: 'why' }),
    'PUT models/iris%20%C3%BC%2F1/aliases/a%2Fb?notebook=n.ipynb',
    { version: 3 },
    { version: 3, reason: 'why' }
  ],
  [
    api => api.listServed('n.ipynb'),
    'GET serving?notebook=n.ipynb',
    { served: [] }
  ],
  [
    api => api.startServing(model, 3),
    'POST models/iris%20%C3%BC%2F1/versions/3/serving?notebook=n.ipynb',
    { served: null }
  ],
  [
    api => api.stopServing(model, 3),
    'DELETE models/iris%20%C3%BC%2F1/versions/3/serving?notebook=n.ipynb',
    { served: null }
  ],
  [
    api => api.predict(model, 3, [[1, 'a']]),
    'POST models/iris%20%C3%BC%2F1/versions/3/predictions?notebook=n.ipynb',
    { predictions: [0] },
    { inputs: [[1, 'a']] }
  ],
  [
    api => api.getPipeline('a b.ipynb'),
    'GET pipeline?notebook=a+b.ipynb',
    { steps: [] }
  ],
  [
    api => api.explainStep('n.ipynb', 'train'),
    'GET pipeline/why?notebook=n.ipynb&step=train',
    { dependencies: [] }
  ],
  [
    api => api.suggestSteps('n.ipynb'),
    'GET pipeline/suggestions?notebook=n.ipynb',
    { suggestions: [] }
  ],
  [
    api => api.getJob('n.ipynb'),
    'GET pipeline/run?notebook=n.ipynb',
    { job: null }
  ],
  [
    api => api.startJob('n.ipynb', { mode: 'verify', params: { C: '1' } }),
    'POST pipeline/run?notebook=n.ipynb',
    { job: null },
    { mode: 'verify', params: { C: '1' } }
  ],
  [
    api => api.cancelJob('n.ipynb'),
    'DELETE pipeline/run?notebook=n.ipynb',
    { job: null }
  ],
  [
    api => api.exportScript('n.ipynb'),
    'POST pipeline/export?notebook=n.ipynb',
    { path: 'n.py' },
    { to: 'script' }
  ],
  [
    api => api.getUses('n.ipynb'),
    'GET data?notebook=n.ipynb',
    { datasets: [], environments: [] }
  ],
  [
    api => api.profileData(version),
    'GET data/profile?run=r&fingerprint=f&notebook=n.ipynb',
    { columns: [] }
  ],
  [
    api => api.diffEnvironments('n.ipynb', 'r1', 'r2'),
    'GET environment?notebook=n.ipynb&before=r1&after=r2',
    { rows: [] }
  ]
];

const BASE = 'http://localhost:8888/user/ada/';

/** A server that gives one answer, and remembers what it was asked. */
function connect(text: string, status = 200) {
  const asked: Request[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: BASE,
    fetch: ((request: Request) => {
      asked.push(request);
      return Promise.resolve(new Response(text, { status }));
    }) as ServerConnection.ISettings['fetch']
  });
  return { api: createApi(settings), asked };
}

const fail = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => (error instanceof RequestError ? error.kind : error)
  );

/** JupyterLab adds the time, so that no browser answers from what it keeps. */
const name = ({ method, url }: Request) =>
  `${method} ${url.replace(/[?&]\d+$/, '').replace(`${BASE}mlops-nb/`, '')}`;

describe('a route', () => {
  for (const [ask, route, body, sent] of ROWS) {
    it(`is ${route}`, async () => {
      const { api, asked } = connect(JSON.stringify(body));
      await expect(ask(api)).resolves.toEqual(body);
      expect(asked.map(name)).toEqual([route]);
      const text = await asked[0]?.text();
      expect(text).toBe(sent ? JSON.stringify(sent) : '');
    });

    it(`takes nothing else for an answer: ${route}`, async () => {
      for (const each of [{ hello: 1 }, []]) {
        const { api } = connect(JSON.stringify(each));
        expect(await fail(ask(api))).toBe('garbage');
      }
      expect(await fail(ask(connect('<html>', 404).api))).toBe('missing');
      expect(await fail(ask(connect('', 403).api))).toBe('forbidden');
      expect(await fail(ask(connect('', 502).api))).toBe('garbage');
    });
  }
});

describe('readArtifact', () => {
  it('gives bytes under a path that may be anything', async () => {
    const { api, asked } = connect('<b>bytes</b>');
    const blob = await api.readArtifact(run, '../x & y/é.png');
    expect(await blob.text()).toBe('<b>bytes</b>');
    const url = new URL(asked[0]?.url ?? '');
    expect(url.pathname).toBe('/user/ada/mlops-nb/runs/a%2Fb%20c/artifact');
    expect(url.searchParams.get('path')).toBe('../x & y/é.png');
  });
});
