import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { ModelList, REGISTER_LINE } from '../components/modellist';
import { ModelPageView } from '../components/modelpage';
import { chooseOther } from '../components/version';
import { RequestError } from '../request';
import type { IModelChange } from '../tokens';
import {
  EVIL_NAMES,
  findButton,
  listButtons,
  listLively,
  press,
  rest
} from './acting';
import {
  act,
  makeModel,
  makeModelsPage,
  makeVersion,
  mount,
  NOW,
  trans
} from './fixtures';

describe('ModelList', () => {
  const onOpen = vi.fn();
  const onTurnTo = vi.fn();
  const onCopy = vi.fn();
  const draw = (page: Parameters<typeof ModelList>[0]['page']) =>
    mount(
      <ModelList
        {...{ page, locale: 'en', trans, onOpen, onTurnTo, onCopy }}
        now={Date.parse(NOW)}
      />
    ).node;
  const makeOne = (name: string, changes: object = {}) => ({
    ...{ name, version_count: 2, aliases: {} },
    newest: makeVersion({ name, ...changes })
  });

  it('says how to begin, and copies the line', () => {
    const node = draw(makeModelsPage([]));
    expect(node.textContent).toContain('No model is registered yet');
    press(node, 'Copy');
    expect(onCopy).toHaveBeenCalledWith(REGISTER_LINE);
    expect(findButton(node, 'Copied')).toBeDefined();
  });

  it('opens models whose newest record cannot be read, too', () => {
    const broken = makeOne('iris', { version: 7, is_damaged: true });
    const node = draw(makeModelsPage([broken]));
    expect(node.textContent).toContain(
      'The record of version 7 cannot be read'
    );
    expect(node.querySelector('time')).toBeNull();
    act(() => node.querySelector('button')?.click());
    expect(onOpen).toHaveBeenCalledWith('iris');
  });

  it('turns pages at their ends and not beyond', () => {
    const models = [makeOne('a')];
    const first = draw(makeModelsPage(models, { has_more: true }));
    expect(findButton(first, 'Previous')?.disabled).toBe(true);
    press(first, 'Next');
    expect(onTurnTo).toHaveBeenLastCalledWith(50);
    const last = draw(makeModelsPage(models, { offset: 20 }));
    expect(findButton(last, 'Next')?.disabled).toBe(true);
    press(last, 'Previous');
    expect(onTurnTo).toHaveBeenLastCalledWith(0);
  });

  it('shows names and aliases as text', () => {
    const models = EVIL_NAMES.map(name => ({
      ...makeOne(name, { model_class: name, metrics: { [name]: 1 } }),
      aliases: { [name]: 3 }
    }));
    const node = draw(makeModelsPage(models));
    expect(listLively(node)).toEqual([]);
    expect(node.querySelectorAll('li')).toHaveLength(EVIL_NAMES.length);
    expect(node.querySelector('.jp-MLOpsAlias')?.textContent).toContain('v3');
  });
});

describe('ModelPageView', () => {
  const makeChange = (changes: Partial<IModelChange>): IModelChange => ({
    ...{ event: 'alias.set', at: NOW, user: 'ada', reason: '' },
    ...{ alias: 'champion', version: 2, before: 1 },
    ...changes
  });
  const onVersion = vi.fn(() => Promise.reject(new RequestError('network')));
  const draw = async (model: Parameters<typeof makeModel>[1]) => {
    const { node } = mount(
      <ModelPageView
        model={makeModel([makeVersion({ version: 2, run_id: null })], model)}
        questions={{
          ...{ onVersion, onPromote: () => Promise.resolve() },
          ...{ onTurnTo: vi.fn(), onOpenRun: vi.fn(), onCompareRuns: vi.fn() },
          serving: {} as never
        }}
        locale="en"
        trans={trans}
      />
    );
    await rest();
    return node;
  };

  it('tells what was done, and undoes the last of each alias alone', async () => {
    const node = await draw({
      changes: [
        makeChange({ reason: EVIL_NAMES[0] ?? '' }),
        makeChange({ before: 5, version: 1 }),
        makeChange({ alias: 'next', before: null }),
        makeChange({ event: 'alias.deleted', alias: 'old', before: 3 }),
        makeChange({ event: 'model.registered', alias: null, before: null })
      ],
      change_count: 9
    });
    const lines = [...node.querySelectorAll('.jp-MLOpsHistory li > span')];
    expect(
      lines.map(line => line.textContent).filter((_, at) => at % 2 === 0)
    ).toEqual([
      'champion moved from version 1 to 2',
      'champion moved from version 5 to 1',
      'next names version 2',
      'old taken away; it named version 3',
      'Version 2 registered'
    ]);
    const undo = listButtons(node).filter(name =>
      name?.startsWith('Roll back')
    );
    expect(undo).toEqual(['Roll back to version 1', 'Roll back to version 3']);
    expect(node.textContent).toContain('4 older changes are not shown');
    expect(node.querySelector('q')?.textContent).toBe(EVIL_NAMES[0]);
    expect(listLively(node)).toEqual([]);
  });

  it('says that a version could not be asked for, and shows the rest', async () => {
    const node = await draw({});
    expect(node.querySelector('[role=alert]')?.textContent).toContain(
      'The server does not answer'
    );
    expect(node.querySelector('tbody th')?.textContent).toContain('v2');
  });

  it.each([
    [3, { champion: 3, next: 2 }, [1, 2, 3], 2],
    [3, { champion: 1 }, [2, 3], 1],
    [3, {}, [1, 2, 3, 4], 2],
    [1, {}, [1, 2], null],
    [1, { champion: 1 }, [], null]
  ])('measures version %i by another: %#', (shown, aliases, known, other) => {
    expect(chooseOther(shown, aliases, known)).toBe(other);
  });
});
