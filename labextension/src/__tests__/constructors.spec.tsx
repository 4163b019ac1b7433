/**
 * Names that every object has by birth are names of metrics and parameters like all others.
 */
import * as React from 'react';
import { expect, it, vi } from 'vitest';

import { ComparisonTable } from '../components/comparison';
import { compareVersions } from '../components/modelcompare';
import { Overlays } from '../components/overlay';
import { rest } from './acting';
import { makeCurve, makeRun, makeVersion, mount, trans } from './fixtures';

const NAME = 'constructor';

it('asks for no curve that a run does not have', async () => {
  const onCurve = vi.fn(() => Promise.resolve(makeCurve()));
  const runs = [{ [NAME]: 1 }, { [NAME]: 2 }, {}].map((metrics, place) =>
    makeRun({ run_id: String(place), metrics: metrics })
  );
  mount(<Overlays {...{ runs, trans, onCurve }} revision={0} locale="en" />);
  await rest();
  expect(onCurve.mock.calls.map(([runId]: unknown[]) => runId)).toEqual([
    '0',
    '1'
  ]);
});

it('tells a parameter that a run does not have from None', () => {
  const runs = [{ [NAME]: 1 }, {}].map((params, place) =>
    makeRun({ run_id: String(place), params })
  );
  const rows = [
    { group: 'param', key: NAME, values: [1, null], differs: true } as const
  ];
  const { node } = mount(
    <ComparisonTable
      comparison={{ runs, rows, count: 1, offset: 0 }}
      {...{ locale: 'en', trans, onOpen: vi.fn() }}
      onMore={() => new Promise(() => {})}
    />
  );
  expect(node.querySelectorAll('.jp-MLOpsNone')).toHaveLength(1);
});

it('compares versions of which one does not have the metric', () => {
  const [one, other] = [{ [NAME]: 1 }, {}].map(metrics =>
    makeVersion({ metrics: metrics })
  );
  expect(
    one && other && compareVersions(one, other, 'en', trans)[0]
  ).toMatchObject({ key: NAME, one: '1', other: '–' });
});
