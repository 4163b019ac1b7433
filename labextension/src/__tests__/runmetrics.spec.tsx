import * as React from 'react';
import { expect, it } from 'vitest';

import { Metrics } from '../components/runmetrics';
import { makeRun, mount, trans } from './fixtures';

it('folds what nobody could look through, and what the machine did', () => {
  const names = Array.from({ length: 300 }, (_, at) => [`m${at}`, at]);
  const metrics = Object.fromEntries([...names, ['system/cpu', 0.5]]) as Record<
    string,
    number
  >;
  const { node } = mount(
    <Metrics run={makeRun({ metrics })} locale="en" trans={trans} />
  );
  const folds = [...node.querySelectorAll('summary')];
  expect(folds.map(each => each.textContent)).toEqual([
    '260 more metrics',
    '1 about the machine'
  ]);
  expect(node.querySelectorAll('details dt')).toHaveLength(261);
  expect(node.querySelectorAll('dt')).toHaveLength(301);
});
