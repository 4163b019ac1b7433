/**
 * Curves of runs that go on, from a server that is slower than its news.
 */
import * as React from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Overlays } from '../components/overlay';
import { RunPageView } from '../components/runpage';
import { RequestError } from '../request';
import type { ICurve } from '../tokens';
import { Held, press } from './acting';
import { FakeAgain } from './fakes';
import { makeCurve, makeDetails, makeRun, mount, trans } from './fixtures';

let held: Held<ICurve>;

beforeEach(() => {
  vi.useFakeTimers();
  held = new Held();
});

afterEach(() => {
  vi.useRealTimers();
});

const settle = (milliseconds = 300) =>
  React.act(() => vi.advanceTimersByTimeAsync(milliseconds));
const runs = ['1', '2'].map(run_id =>
  makeRun({ run_id, status: 'running', metrics: { loss: 1 } })
);
const never = () => new Promise<never>(() => {});

const compare = (revision: number) => (
  <Overlays
    {...{ runs, revision, locale: 'en', trans }}
    onCurve={() => held.ask()}
  />
);

const show = (revision: number) => (
  <RunPageView
    run={makeDetails({ status: 'running', metrics: { loss: 1 } })}
    {...{ revision, locale: 'en', trans, job: null }}
    again={new FakeAgain()}
    onOpen={() => {}}
    onCompare={() => {}}
    onOpenFile={() => {}}
    onOpenCode={() => Promise.resolve()}
    questions={{
      ...{ onCells: never, onSurroundings: never, onArtifact: never },
      ...{ onOther: never, onChildren: never },
      onCurve: () => held.ask()
    }}
  />
);

it.each([
  ['of several runs', compare, 2],
  ['of one run', show, 1]
])('draws the curve %s, however much news there is', async (_, make, count) => {
  const { node, update } = mount(make(0));
  for (let place = 0; place < count; place++) {
    // The page is fresh again before an answer is there.
    for (const news of [1, 2, 3]) {
      update(make(10 * place + news));
    }
    expect(held.open).toHaveLength(place + 1);
    held.open[place]?.resolve(makeCurve());
    await settle(0);
  }
  expect(node.querySelectorAll('svg[role=img]')).toHaveLength(1);
  await settle();
  expect(held.open).toHaveLength(count + 1); // for the news since
});

it('says what failed, and asks again', async () => {
  const { node } = mount(show(0));
  held.open[0]?.reject(new RequestError('server', 'disk is gone'));
  await settle();
  expect(node.textContent).toContain('disk is gone');
  press(node, 'Try again');
  held.open[1]?.resolve(makeCurve());
  await settle();
  expect(node.textContent).not.toContain('disk is gone');
  expect(node.querySelectorAll('svg[role=img]')).toHaveLength(1);
});
