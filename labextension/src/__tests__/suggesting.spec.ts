/**
 * Steps that are proposed go to the cells that they were proposed for.
 */
import { beforeEach, expect, it, vi } from 'vitest';

import { RequestError } from '../request';
import { PipelineSteering } from '../steering';
import { FakeApi, FakeBridge } from './fixtures';

let api: FakeApi;
let bridge: FakeBridge;
let steering: PipelineSteering;

beforeEach(() => {
  api = new FakeApi();
  bridge = new FakeBridge();
  bridge.cellIds = ['a', 'b', 'c'];
  steering = new PipelineSteering({
    ...{ api, bridge, getNotebook: () => 'a.ipynb' },
    onChanged: () => Promise.resolve()
  });
});

it('writes tags into their cells, wherever these have moved', async () => {
  api.suggestions = [
    { cell: 0, tag: 'step:load', reason: '' },
    { cell: 2, tag: 'step:train', reason: '' }
  ];
  const found = await steering.suggest();
  bridge.cellIds = ['new', 'a', 'c', 'b'];
  bridge.done.length = 0;
  await steering.tagAll(found);
  expect(bridge.done).toEqual(['tag a step:load', 'tag c step:train', 'save']);
});

it('takes the cells that were there when the file was written', async () => {
  api.suggestions = [{ cell: 1, tag: 'step:load', reason: '' }];
  vi.spyOn(bridge, 'save').mockImplementation(() => {
    bridge.cellIds = ['new', 'a', 'b', 'c'];
    return Promise.resolve();
  });
  expect((await steering.suggest())[0]?.id).toBe('b');
});

it('proposes nothing for a file that is behind the notebook', async () => {
  const suggest = vi.spyOn(api, 'suggestSteps');
  const failure = new RequestError('server', 'disk is full');
  vi.spyOn(bridge, 'save').mockRejectedValue(failure);
  await expect(steering.suggest()).rejects.toThrow('disk is full');
  expect(suggest).not.toHaveBeenCalled();
});
