import { beforeEach, describe, expect, it, vi } from 'vitest';

import { RequestError } from '../request';
import { isAtWork, PipelineSteering } from '../steering';
import type { IJob, IPipeline } from '../tokens';
import { Held, rest } from './acting';
import {
  FakeApi,
  FakeBridge,
  makeJob,
  makePipeline,
  makeStep
} from './fixtures';

let api: FakeApi;
let bridge: FakeBridge;
let steering: PipelineSteering;
let notebook: string | null;
let asked: string[];
const onChanged = vi.fn(() => Promise.resolve());

beforeEach(() => {
  api = new FakeApi();
  bridge = new FakeBridge();
  notebook = 'a.ipynb';
  asked = [];
  onChanged.mockClear();
  const { getPipeline, getJob } = api;
  api.getPipeline = () => {
    asked.push('pipeline');
    return getPipeline.call(api);
  };
  api.getJob = () => {
    asked.push('job');
    return getJob.call(api);
  };
  steering = new PipelineSteering({
    api,
    bridge,
    getNotebook: () => notebook,
    onChanged
  });
  return () => steering.dispose();
});

describe('isAtWork', () => {
  it.each([
    ['running', true],
    ['cancelling', true],
    ['finished', false],
    ['failed', false],
    ['interrupted', false],
    ['refused', false],
    ['died', false]
  ] as readonly [IJob['status'], boolean][])('%s: %s', (status, expected) => {
    expect(isAtWork(makeJob({ status }))).toBe(expected);
  });

  it('is no run at all', () => expect(isAtWork(null)).toBe(false));
});

describe('what a look at the pipeline asks', () => {
  it('is the pipeline once, and the run each time', async () => {
    await steering.load();
    await steering.load();
    await steering.load();
    expect(asked).toEqual(['job', 'pipeline', 'job', 'job']);
  });

  it('is the pipeline anew after the file was written', async () => {
    await steering.load();
    api.pipeline = makePipeline([makeStep('new')]);
    steering.noteSaved();
    const { pipeline, isEdited } = await steering.load();
    expect(pipeline.steps[0]?.name).toBe('new');
    expect(isEdited).toBe(true);
  });

  it('is the pipeline anew when a run has ended, and not while it goes on', async () => {
    api.job = makeJob();
    await steering.load();
    await steering.load();
    api.job = makeJob({ status: 'cancelling' });
    await steering.load();
    asked.length = 0;
    api.job = makeJob({ status: 'finished' });
    await steering.load();
    expect(asked).toEqual(['job', 'pipeline']);
    await steering.load();
    expect(asked).toEqual(['job', 'pipeline', 'job']);
  });

  it('is kept by nobody where another notebook has come', async () => {
    const held = new Held<IPipeline>();
    api.getPipeline = held.ask;
    const late = steering.load();
    steering.clear();
    held.open[0]?.resolve(makePipeline([makeStep('late')]));
    await late;
    api.getPipeline = () => Promise.resolve(makePipeline([makeStep('new')]));
    const { pipeline } = await steering.load();
    expect(pipeline.steps.map(step => step.name)).toEqual(['new']);
  });

  it('fails with the server', async () => {
    api.failure = new RequestError('timeout');
    await expect(steering.load()).rejects.toMatchObject({ kind: 'timeout' });
    api.failure = null;
    expect((await steering.load()).job).toBeNull();
  });
});

describe('the edit of a notebook', () => {
  it('is no news while a run goes on, nor once the next was begun', async () => {
    steering.noteSaved();
    api.job = makeJob();
    expect((await steering.load()).isEdited).toBe(false);
    api.job = makeJob({ status: 'finished' });
    expect((await steering.load()).isEdited).toBe(true);
    await steering.start({});
    expect((await steering.load()).isEdited).toBe(false);
  });

  it('is forgotten with the notebook', async () => {
    steering.noteSaved();
    steering.clear();
    expect((await steering.load()).isEdited).toBe(false);
  });
});

describe('what is done with the pipeline', () => {
  it('begins with the file as it stands in view', async () => {
    bridge.isDirty = true;
    const order: string[] = [];
    bridge.saved.connect(() => order.push('saved'));
    const { startJob } = api;
    api.startJob = (...given) => {
      order.push('started');
      return startJob.apply(api, given);
    };
    expect(await steering.start({ mode: 'verify' })).toBe(true);
    expect(order).toEqual(['saved', 'started']);
    // What is saved already is not written again.
    await steering.start({ only: 'a' });
    expect(bridge.done).toEqual(['save']);
    expect(api.done).toEqual(['run {"mode":"verify"}', 'run {"only":"a"}']);
    expect(onChanged).toHaveBeenCalledTimes(2);
  });

  it('starts nothing where the file cannot be written', async () => {
    bridge.isDirty = true;
    bridge.save = () => Promise.reject(new Error('read only'));
    expect(await steering.start({})).toBe(false);
    expect(api.done).toEqual([]);
    expect(steering.problem?.message).toContain('read only');
  });

  it('is one thing at a time, and nothing without a notebook', async () => {
    const held = new Held<{ job: null; problem: null }>();
    api.startJob = held.ask;
    const first = steering.start({});
    await rest();
    expect(steering.isBusy).toBe(true);
    expect(await steering.start({})).toBe(false);
    expect(await steering.exportScript()).toBe(false);
    expect(held.open).toHaveLength(1);
    held.open[0]?.resolve({ job: null, problem: null });
    expect(await first).toBe(true);
    expect(steering.isBusy).toBe(false);
    notebook = null;
    expect(await steering.cancel()).toBe(false);
    expect(api.done).toEqual([]);
  });

  it('is told, and taken away when it was read', async () => {
    const told: string[] = [];
    steering.stateChanged.connect(() =>
      told.push(`${steering.isBusy} ${steering.exported ?? '-'}`)
    );
    await steering.exportScript();
    expect(told).toEqual(['true -', 'false a.py']);
    steering.dismiss();
    expect(steering.exported).toBeNull();
    api.failure = new RequestError('server', 'no steps', 'Tag a cell.');
    await steering.exportScript();
    expect(steering.problem?.hint).toBe('Tag a cell.');
    steering.dismiss();
    expect(steering.problem).toBeNull();
  });

  it('takes back what was said with the next thing that is done', async () => {
    await steering.exportScript();
    api.failure = new RequestError('network');
    await steering.cancel();
    expect([steering.exported, steering.problem?.kind]).toEqual([
      ...[null, 'network']
    ]);
    api.failure = null;
    await steering.cancel();
    expect(steering.problem).toBeNull();
  });

  it('writes tags, then the file, then looks anew', async () => {
    await steering.load();
    asked.length = 0;
    expect(await steering.tag(['step:a'])).toBe(true);
    expect(bridge.done).toEqual(['tags step:a', 'save']);
    await steering.load();
    expect(asked).toEqual(['job', 'pipeline']);
    bridge.done.length = 0;
    await steering.tagAll([
      { cell: 3, tag: 'step:b', reason: '' },
      { cell: 5, tag: 'step:c', reason: '' }
    ]);
    expect(bridge.done).toEqual(['tag 3 step:b', 'tag 5 step:c', 'save']);
  });
});
