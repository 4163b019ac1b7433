import * as React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ListBar } from '../components/listbar';
import { OptionFields } from '../components/optionfields';
import { PipelineView } from '../components/pipelineview';
import { readOptions } from '../components/stepoptions';
import { FIRST_QUERY } from '../model';
import { RequestError } from '../request';
import type { IJob, IQuery, IRun } from '../tokens';
import {
  EVIL_NAMES,
  fill,
  findButton,
  findChoice,
  findField,
  listLively,
  press
} from './acting';
import {
  act,
  makeJob,
  makePipeline,
  makeRun,
  makeStep,
  mount,
  trans
} from './fixtures';

const listOptions = (choice: HTMLSelectElement) =>
  [...choice.options].map(option => option.text);

describe('ListBar', () => {
  const onQuery = vi.fn();
  const onColumns = vi.fn();

  beforeEach(() => {
    vi.clearAllMocks();
  });

  const draw = (
    runs: readonly IRun[],
    query: Partial<IQuery> = {},
    columns: readonly string[] | null = null,
    hasNotebook = true
  ) =>
    mount(
      <ListBar
        {...{ runs, columns, hasNotebook, trans, onQuery, onColumns }}
        query={{ ...FIRST_QUERY, ...query }}
        filterProblem={null}
      />
    ).node;

  it('keeps an order and a group in view that no run of this page has', () => {
    const node = draw([], {
      orderBy: 'metrics.gone DESC',
      groupBy: 'params.`a b`'
    });
    expect(findChoice(node, 'Order of runs').value).toBe('metrics.gone DESC');
    const groups = findChoice(node, 'Groups of runs');
    expect(groups.value).toBe('params.`a b`');
    expect(listOptions(groups)).toContain('By a b');
  });

  it('groups by what runs have in common, never by results', () => {
    const run = makeRun({ params: { 'a b': 1 }, tags: { owner: 'Ada' } });
    const groups = findChoice(draw([run]), 'Groups of runs');
    expect(listOptions(groups)).toEqual([
      ...['No groups', 'By experiment', 'By a b', 'By owner']
    ]);
    fill(groups, 'params.`a b`');
    expect(onQuery).toHaveBeenCalledWith({ groupBy: 'params.`a b`' });
    const all = findChoice(draw([run], { scope: 'store' }), 'Groups of runs');
    expect(listOptions(all)).toContain('By notebook');
    fill(all, 'notebook');
    fill(all, '');
    expect(onQuery).toHaveBeenLastCalledWith({ groupBy: null });
  });

  it('asks for no notebook where there is none', () => {
    const node = draw([], {}, null, false);
    expect(node.querySelector('[aria-label="Which runs"]')).toBeNull();
    const scope = findChoice(draw([]), 'Which runs');
    fill(scope, 'store');
    expect(onQuery).toHaveBeenLastCalledWith({ scope: 'store' });
  });

  it('offers no endless menus, and keeps what was chosen from elsewhere', () => {
    const params = Object.fromEntries(
      Array.from({ length: 500 }, (_, at) => [`p${at}`, at])
    );
    const node = draw([makeRun({ params })], {}, ['tags.gone']);
    const boxes = node.querySelectorAll('input[type=checkbox]');
    expect(boxes.length).toBeLessThan(70);
    const label = [...node.querySelectorAll('label')].find(
      each => each.textContent === 'tags.gone'
    );
    expect(label?.querySelector('input')?.checked).toBe(true);
    act(() => label?.querySelector('input')?.click());
    expect(onColumns).toHaveBeenCalledWith(null);
    expect(
      findChoice(node, 'Groups of runs').options.length
    ).toBeLessThanOrEqual(62);
  });

  it('comes back to what most runs have', () => {
    const node = draw([makeRun()], {}, ['params.C']);
    const [first] = node.querySelectorAll('label');
    expect(first?.textContent).toBe('What most runs have');
    act(() => first?.querySelector('input')?.click());
    expect(onColumns).toHaveBeenCalledWith(null);
  });

  it('shows names as text, and offers none that cannot be asked for', () => {
    const params = Object.fromEntries(EVIL_NAMES.map(name => [name, 1]));
    const node = draw([makeRun({ params: { ...params, '`"': 1 } })]);
    expect(listLively(node)).toEqual([]);
    const groups = listOptions(findChoice(node, 'Groups of runs'));
    expect(groups).toContain(`By ${EVIL_NAMES[0]}`);
    expect(groups).not.toContain('By `"');
  });
});

describe('PipelineView', () => {
  const actions = {
    ...{ onRun: vi.fn(), onCancel: vi.fn(), onExport: vi.fn() },
    ...{ onSave: vi.fn(), onDismiss: vi.fn(), onOpenRun: vi.fn() },
    ...{ onTag: vi.fn(), onTakeSuggestions: vi.fn(), onGoTo: vi.fn() },
    ...{ onOpenFile: vi.fn(), isBusy: false },
    onSuggest: () => Promise.resolve([]),
    onExplain: () => Promise.resolve([])
  };
  const parameter = {
    type: 'float',
    default: '1.0',
    help: EVIL_NAMES[0] ?? ''
  };
  const pipeline = makePipeline([makeStep('a')], {
    parameters: [
      { ...parameter, name: 'C' },
      { ...parameter, name: '__proto__' }
    ]
  });

  beforeEach(() => {
    vi.clearAllMocks();
  });

  const draw = (job: IJob | null, changes: object = {}) =>
    mount(
      <PipelineView
        {...{ actions, problem: null, exported: null, cell: null }}
        {...{ isDirty: false, isReadOnly: false, locale: 'en', trans }}
        state={{ pipeline, job, isEdited: false }}
        {...changes}
      />
    ).node;

  it.each([
    ['running', 'run', 'Running…'],
    ['running', 'verify', 'Verifying…'],
    ['cancelling', 'run', 'Ending…'],
    ['finished', 'run', 'Finished'],
    ['failed', 'run', 'Failed'],
    ['interrupted', 'run', 'Cancelled'],
    ['refused', 'run', 'Not started'],
    ['died', 'run', 'The process ended unexpectedly']
  ] as const)(
    'says in words what became of a run: %s %s',
    (status, mode, words) => {
      const node = draw(makeJob({ status, mode }));
      const said = node.querySelector('.jp-MLOpsOutcome [role=status]');
      expect(said?.textContent).toContain(words);
      const cancel = findButton(node, 'Cancel');
      expect(cancel !== undefined).toBe(/ing/.test(status));
      expect(cancel?.disabled ?? false).toBe(status === 'cancelling');
    }
  );

  it('hands on what was typed for parameters, and nothing else', () => {
    const node = draw(null);
    press(node, 'Run');
    fill(findField(node, 'C'), '0.5');
    press(node, 'Run all');
    fill(findField(node, 'C'), '');
    fill(findField(node, '__proto__'), '2');
    press(node, 'Verify');
    const given = actions.onRun.mock.calls.map(([request]) =>
      JSON.stringify(request)
    );
    expect(given).toEqual([
      '{"params":{}}',
      '{"force":true,"params":{"C":"0.5"}}',
      '{"mode":"verify","params":{"__proto__":"2"}}'
    ]);
  });

  it('leads to what is in the way, as text', () => {
    const problem = {
      ...{ error: 'E', message: EVIL_NAMES[0], hint: EVIL_NAMES[1], cell: 4 }
    };
    const node = draw(
      makeJob({ status: 'refused', problem: problem as never })
    );
    press(node, 'Go to cell 5');
    expect(actions.onGoTo).toHaveBeenCalledWith({ index: 4, id: null });
    expect(listLively(node)).toEqual([]);
  });

  it('says what was verified, what is to be noted, and which run it was', () => {
    const node = draw(
      makeJob({
        ...{ status: 'finished', run_id: 'r1', verdict: 'verified' },
        ...{ verification: 'all 3 values', notices: ['n', 'n'] }
      })
    );
    const verdict = node.querySelector<HTMLElement>('.jp-MLOpsVerdict');
    expect(verdict?.dataset['verdict']).toBe('verified');
    expect(node.querySelectorAll('.jp-MLOpsNotices li')).toHaveLength(2);
    press(node, 'Open run');
    expect(actions.onOpenRun).toHaveBeenCalledWith('r1');
  });

  it('can be left to no button while something is under way', () => {
    const node = draw(null, { actions: { ...actions, isBusy: true } });
    for (const name of ['Run', 'Run all', 'Verify', 'Export script']) {
      expect(findButton(node, name)?.disabled, name).toBe(true);
    }
    const empty = draw(null, {
      state: { pipeline: makePipeline([]), job: null, isEdited: false }
    });
    expect(findButton(empty, 'Run')?.disabled).toBe(true);
  });

  it('offers to save what is not saved, where it can be written', () => {
    const node = draw(null, { isDirty: true });
    press(node, 'Save');
    expect(actions.onSave).toHaveBeenCalledOnce();
    const fixed = draw(null, { isDirty: true, isReadOnly: true });
    expect(findButton(fixed, 'Save')).toBeUndefined();
  });

  it('tells what was written or refused, until it was read', () => {
    const node = draw(null, { exported: EVIL_NAMES[0] });
    expect(node.textContent).toContain(`Wrote ${EVIL_NAMES[0]}`);
    press(node, 'Open');
    expect(actions.onOpenFile).toHaveBeenCalledWith(EVIL_NAMES[0]);
    press(node, 'Dismiss');
    const refused = draw(null, { problem: new RequestError('forbidden') });
    expect(refused.querySelector('[role=alert]')?.textContent).toContain(
      'The server refused the request'
    );
    press(refused, 'Dismiss');
    expect(actions.onDismiss).toHaveBeenCalledTimes(2);
  });
});

describe('OptionFields', () => {
  it('hands on each choice with all others', () => {
    const onChange = vi.fn();
    const options = readOptions(['retries:2']);
    const { node } = mount(
      <OptionFields {...{ options, wrong: ['cpu'], trans, onChange }} />
    );
    fill(findField(node, 'Memory'), '4G');
    fill(findChoice(node, 'Earlier result'), 'disabled');
    act(() => findField(node, 'One loop').click());
    act(() => findField(node, 'An error is expected').click());
    expect(onChange.mock.calls.map(([given]) => given as object)).toEqual([
      { ...options, mem: '4G' },
      { ...options, cache: 'disabled' },
      { ...options, isForeach: true },
      { ...options, mayFail: true }
    ]);
    expect(findField(node, 'Processor cores').ariaInvalid).toBe('true');
    expect(findField(node, 'Memory').ariaInvalid).toBe('false');
  });
});
