/**
 * What somebody else does with a model while a person looks at its page.
 */
import * as React from 'react';
import { expect, it, vi } from 'vitest';

import type { IPromotion } from '../api';
import { ModelPageView } from '../components/modelpage';
import type { IModelChange, IModelDetails } from '../tokens';
import { fill, findField, press, rest } from './acting';
import { makeModel, makeVersion, mount, NOW, trans } from './fixtures';

const versions = [3, 2, 1].map(version => makeVersion({ version }));

/** Show a model; `update` is what the next answer does. */
async function show(model: IModelDetails) {
  const promoted: IPromotion[] = [];
  const draw = (shown: IModelDetails) => (
    <ModelPageView
      model={shown}
      questions={{
        onVersion: version => Promise.resolve(makeVersion({ version })),
        onPromote: promotion => {
          promoted.push(promotion);
          return Promise.resolve();
        },
        ...{ onTurnTo: vi.fn(), onOpenRun: vi.fn(), onCompareRuns: vi.fn() },
        serving: { list: () => Promise.resolve([]) } as never
      }}
      locale="en"
      trans={trans}
    />
  );
  const { node, update } = mount(draw(model));
  await rest();
  return {
    node,
    promoted,
    update: async (next: IModelDetails) => {
      update(draw(next));
      await rest();
    }
  };
}

it.each([
  ['registered', [makeVersion({ version: 4 }), ...versions], 0],
  ['turned to', [makeVersion({ version: 1 })], 2]
])(
  'promotes the version that was looked at when another is %s',
  async (_, next, offset) => {
    const { node, promoted, update } = await show(makeModel(versions));
    fill(findField(node, 'Reason'), 'best so far');
    await update(makeModel(next, { offset, limit: 2, version_count: 4 }));
    press(node, 'Promote');
    await rest();
    expect(promoted).toEqual([
      { alias: 'champion', version: 3, reason: 'best so far' }
    ]);
  }
);

it('keeps a reason that is being typed when something else is done', async () => {
  const change: IModelChange = {
    ...{ event: 'alias.set', at: NOW, user: 'ada', reason: '' },
    ...{ alias: 'champion', version: 2, before: 1 }
  };
  const registered: IModelChange = {
    ...{ event: 'model.registered', at: NOW, user: 'bo', reason: '' },
    ...{ alias: null, version: 4, before: null }
  };
  const { node, update } = await show(
    makeModel(versions, { changes: [change], change_count: 1 })
  );
  press(node, 'Roll back to version 1');
  const form = '[aria-label="Roll champion back to version 1"]';
  const field = node.querySelector<HTMLInputElement>(`${form} input`);
  fill(field ?? expect.fail('no form'), 'it drifts');
  await update(
    makeModel(versions, { changes: [registered, change], change_count: 2 })
  );
  expect(node.querySelector<HTMLInputElement>(`${form} input`)?.value).toBe(
    'it drifts'
  );
});
