/**
 * Runs as the server sends them, a fake server, and a place to mount components.
 */
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach } from 'vitest';

import type { IApi, IListRunsOptions } from '../api';
import type { IRun, IRunsPage } from '../tokens';
import { VERSION } from '../tokens';

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

/** A server that answers from memory and remembers what it was asked. */
export class FakeApi implements IApi {
  page: IRunsPage = makePage([]);
  version = VERSION;
  failure: unknown = null;
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

  private _answer<T>(value: T): Promise<T> {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- any failure
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(value);
  }
}

const mounted: (() => void)[] = [];

/** Mount an element in the page; it is taken away after the test. */
export function mount(element: React.JSX.Element): {
  node: HTMLElement;
  update: (next: React.JSX.Element) => void;
} {
  const node = document.body.appendChild(document.createElement('div'));
  const root = createRoot(node);
  const update = (next: React.JSX.Element) =>
    React.act(() => {
      root.render(next);
    });
  update(element);
  mounted.push(() => {
    React.act(() => {
      root.unmount();
    });
    node.remove();
  });
  return { node, update };
}

/** Do what a person does, and let React follow. */
export function act(action: () => void): void {
  React.act(action);
}

afterEach(() => {
  mounted.splice(0).forEach(unmount => unmount());
});
