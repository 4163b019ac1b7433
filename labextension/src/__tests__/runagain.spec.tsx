import * as React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { RunButtons } from '../components/runbuttons';
import { RunAgain } from '../runagain';
import type { IJob, IRunDetails } from '../tokens';
import { FakeAgain } from './fakes';
import {
  act,
  FakeApi,
  makeDetails,
  makeVersion,
  mount,
  trans
} from './fixtures';

const AT = { 'mlops.reproduction_at': '2026-11-22T14:00:00.000+00:00' };

const makeJob = (changes: Partial<IJob>): IJob => ({
  job_id: 'j',
  mode: 'reproduce',
  status: 'finished',
  started_at: '',
  ended_at: null,
  steps: [],
  notices: [],
  run_id: null,
  metrics: {},
  verification: null,
  verdict: null,
  problem: null,
  now: '',
  ...changes
});

describe('RunButtons', () => {
  let again: FakeAgain;
  const onOpen = vi.fn();
  const onOpenFile = vi.fn();
  const onOpenCode = vi.fn(() => Promise.resolve());

  beforeEach(() => {
    vi.clearAllMocks();
    again = new FakeAgain();
  });

  const draw = (changes: Partial<IRunDetails>, job: IJob | null = null) =>
    mount(
      <RunButtons
        run={makeDetails(changes)}
        {...{ job, again, trans, onOpen, onOpenFile, onOpenCode }}
        locale="en"
      />
    ).node;

  const press = async (node: HTMLElement, label: string) => {
    const found = [...node.querySelectorAll('button')].find(
      each => each.textContent === label
    );
    expect(found, label).toBeDefined();
    await React.act(async () => {
      found?.click();
      await Promise.resolve();
    });
  };

  const list = (node: HTMLElement) =>
    [...node.querySelectorAll('button')].map(each => each.textContent);

  it('offers what there is', async () => {
    expect(list(draw({}))).toEqual(['Register…']);
    expect(list(draw({ status: 'running' }))).toEqual([]);
    const tags = { 'mlops.kind': 'pipeline' };
    expect(list(draw({ tags }))).toEqual([
      ...['Reproduce', 'Register…', 'Export as a script']
    ]);
    const node = draw({ cell_count: 2, notebook_path: 'sub/a.ipynb' });
    expect(list(node)).toEqual([
      ...['Reproduce', 'Register…', 'Export as a script'],
      ...['Open code as a notebook', 'Open its notebook']
    ]);
    act(() => node.querySelectorAll('button')[4]?.click());
    expect(onOpenFile).toHaveBeenCalledWith('sub/a.ipynb');
    await press(node, 'Open code as a notebook');
    await press(node, 'Export as a script');
    await press(node, 'Reproduce');
    expect(onOpenCode).toHaveBeenCalledOnce();
    expect(again.done).toEqual(['export', 'reproduce false']);
  });

  it('says why something was not done', async () => {
    again.failure = new Error('disk <b>full</b>');
    const node = draw({ cell_count: 1 });
    await press(node, 'Export as a script');
    expect(node.querySelector('[role=alert]')?.textContent).toContain(
      'disk <b>full</b>'
    );
  });

  it('tells how far a reproduction is, and cancels it', async () => {
    const step = { name: 'replay', status: 'running', cells_done: 3 } as const;
    const steps = [
      { ...step, cells_total: 10, duration_s: 1, message: '', notebook: null }
    ];
    const node = draw({ cell_count: 1 }, makeJob({ status: 'running', steps }));
    expect(node.textContent).toContain('3 of 10 cells done');
    expect(node.querySelector('button')?.disabled).toBe(true);
    await press(node, 'Cancel');
    expect(again.done).toEqual(['cancel']);
  });

  it('shows the verdict, its notes and both runs', async () => {
    const tags = {
      ...AT,
      'mlops.reproduction': 'same, but not checked: <b>x</b>',
      'mlops.reproduction_run': 'new',
      'mlops.reproduces': 'old'
    };
    const node = draw({ tags }, makeJob({ notices: ['<b>x</b>'] }));
    expect(node.textContent).toContain('same, but not checked: <b>x</b>');
    expect(node.querySelector('li')?.textContent).toBe('<b>x</b>');
    await press(node, 'Open the new run');
    await press(node, 'Open that run');
    expect(onOpen.mock.calls.map(([runId]) => runId as unknown)).toEqual([
      ...['new', 'old']
    ]);
  });

  it('offers to run it on other data where nothing ran', async () => {
    const verdict = 'differs: input a.csv: 1 -> 2';
    const node = draw({ tags: { ...AT, 'mlops.reproduction': verdict } });
    await press(node, 'Run it anyway');
    expect(again.done).toEqual(['reproduce true']);
  });

  it('says what was in the way of a reproduction', () => {
    const problem = { error: 'E', message: 'no', hint: 'do', cell: null };
    const node = draw({}, makeJob({ status: 'refused', problem }));
    expect(node.querySelector('[role=alert]')?.textContent).toContain('no do');
  });

  it('says plainly why a model cannot be registered', async () => {
    const node = draw({});
    await press(node, 'Register…');
    expect(node.textContent).toContain('the kernel that trained it has ended');
    expect(node.querySelector('form')).toBeNull();
    await press(node, 'Close');
    expect(node.textContent).not.toContain('has ended');
  });

  it('registers under a name, and keeps the form where that was refused', async () => {
    again.state = { versions: [], way: 'kernel' };
    const node = draw({});
    await press(node, 'Register…');
    const [name] = node.querySelectorAll('input');
    act(() => {
      const set = Object.getOwnPropertyDescriptor(
        HTMLInputElement.prototype,
        'value'
      )?.set;
      set?.call(name, ' tumours ');
      name?.dispatchEvent(new Event('input', { bubbles: true }));
    });
    again.failure = Object.assign(new Error('taken'), { kind: 'Error' });
    await press(node, 'Register');
    expect(node.querySelector('[role=alert]')?.textContent).toBe(
      'Not registered. taken'
    );
    again.failure = null;
    const versions = [makeVersion({ name: 'tumours', version: 1 })];
    again.state = { versions, way: 'stored' };
    await press(node, 'Register');
    expect(again.done[1]).toBe('register tumours,,');
    expect(node.querySelector('[role=status]')?.textContent).toContain(
      'Registered as tumours/1'
    );
  });
});

describe('RunAgain', () => {
  const api = new FakeApi();
  const onChanged = vi.fn(() => Promise.resolve());
  const onOpenFile = vi.fn();
  const model = { id: 'k', name: 'python3' };
  const dispose = vi.fn();
  const refuse = () =>
    Promise.reject(
      Object.assign(new Error('none'), { response: { status: 404 } })
    );
  let reply: object = { status: 'ok' };
  const requestExecute = vi.fn(() => ({
    done: Promise.resolve({ content: reply })
  }));
  const save = vi.fn(() => Promise.resolve({} as never));
  const again = new RunAgain({
    ...{ api, onChanged, onOpenFile },
    place: { runId: 'r', notebook: 'sub/a.ipynb' },
    folder: 'sub',
    contents: { get: refuse, save },
    kernels: {
      refreshRunning: () => Promise.resolve(),
      running: () => [model].values(),
      connectTo: () => ({ requestExecute, dispose }) as never
    }
  });
  const wish = { name: "it's", alias: '', reason: 'a "b"' };

  it('begins and cancels, and has the page ask anew', async () => {
    await again.reproduce(true);
    await again.cancel();
    expect(api.done).toEqual(['reproduce r true', 'cancel r']);
    expect(onChanged).toHaveBeenCalledTimes(2);
  });

  it('writes the script beside the notebook', async () => {
    await again.exportScript();
    expect(save).toHaveBeenCalledWith('sub/it-0193.py', {
      ...{ type: 'file', format: 'text', content: 'x = 1' }
    });
    expect(onOpenFile).toHaveBeenCalledWith('sub/it-0193.py');
  });

  it('has the kernel register what it still holds', async () => {
    api.registration = { versions: [], kernel_id: 'k' };
    expect((await again.getRegistration()).way).toBe('kernel');
    await again.register(wish);
    expect(requestExecute.mock.calls[0]).toMatchObject([
      {
        silent: true,
        code: expect.stringContaining(
          '.register_run("r", "it\'s", "", "a \\"b\\"")'
        ) as string
      }
    ]);
    expect(dispose).toHaveBeenCalledOnce();
    reply = { status: 'error', ename: 'NotFoundError', evalue: 'it is gone' };
    await expect(again.register(wish)).rejects.toThrow('it is gone');
  });

  it('leaves bytes that are kept to the server', async () => {
    requestExecute.mockClear();
    const before = api.done.length;
    api.registration = { versions: [makeVersion({})], kernel_id: 'k' };
    expect((await again.register(wish)).way).toBe('stored');
    api.registration = { versions: [], kernel_id: 'gone' };
    expect((await again.getRegistration()).way).toBe('none');
    await again.register(wish);
    expect(api.done.slice(before)).toHaveLength(2);
    expect(requestExecute).not.toHaveBeenCalled();
  });
});
