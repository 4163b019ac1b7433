import { StateDB } from '@jupyterlab/statedb';
import { expect, it } from 'vitest';

import type { Keepsake } from '../keeper';
import { keepColumns, keepFolds } from '../keeper';
import { MLOpsModel } from '../model';
import { FakeApi } from './fixtures';

const KEY = 'mlops-nb:columns';

it('keeps columns from one day to the next', async () => {
  const state = new StateDB();
  const first = new MLOpsModel({ api: new FakeApi() });
  await keepColumns(first, state);
  first.columns = ['loss'];
  const second = new MLOpsModel({ api: new FakeApi() });
  await keepColumns(second, state);
  expect(second.columns).toEqual(['loss']);
  second.columns = null;
  await Promise.resolve();
  expect(await state.fetch(KEY)).toBeUndefined();
});

it('prefers what was chosen while the state was read', async () => {
  const state = new StateDB();
  await state.save(KEY, ['old']);
  const model = new MLOpsModel({ api: new FakeApi() });
  const kept = keepColumns(model, state);
  model.columns = ['new'];
  await kept;
  expect(model.columns).toEqual(['new']);
  expect(await state.fetch(KEY)).toEqual(['new']);
});

it('goes on where nothing can be kept', async () => {
  const fail = () => Promise.reject(new Error('disk full'));
  const state: Keepsake = { fetch: fail, save: fail, remove: fail };
  const model = new MLOpsModel({ api: new FakeApi() });
  await keepColumns(model, state);
  model.columns = ['loss'];
  model.columns = null;
  const folds = keepFolds(state);
  folds.write(['jp-mlops-runs']);
  expect(await folds.read()).toBeNull();
  await new Promise(resolve => setTimeout(resolve)); // a rejection nobody hears fails the test
});
