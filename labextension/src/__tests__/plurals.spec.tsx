/**
 * One is one, in every language: what is counted goes through the plural forms.
 */
import * as React from 'react';
import { expect, it } from 'vitest';

import { Files } from '../components/files';

import { Metrics, MOST_AT_ONCE } from '../components/runmetrics';
import { makeRun, mount, trans } from './fixtures';

it('says that one more is folded away or not listed', () => {
  const names = Array.from({ length: MOST_AT_ONCE + 1 }, (_, at) => `m${at}`);
  const run = makeRun({
    metrics: Object.fromEntries(names.map(name => [name, 1]))
  });
  const metrics = mount(<Metrics {...{ run, trans }} locale="en" />).node;
  expect(metrics.querySelector('summary')?.textContent).toBe('1 more metric');
  const artifact = { path: 'a', digest: 'd', size_bytes: 1, media_type: 'x/y' };
  const files = mount(
    <Files
      {...{ artifacts: [artifact], count: 2, trans }}
      locale="en"
      onRead={() => Promise.resolve(new Blob())}
    />
  ).node;
  expect(files.textContent).toContain('1 more is not listed here.');
});
