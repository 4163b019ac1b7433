import { MimeModel, RenderMimeRegistry } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { addCards } from '../cards';
import { CARD_TYPE, readCard } from '../cardwords';
import { drawCurve, RunCard } from '../components/card';
import { EntryList } from '../components/entries';
import { formatAge } from '../components/format';
import { RunList } from '../components/runlist';
import { PanelSettings } from '../settings';
import { EVIL_NAMES, listButtons, listLively, press } from './acting';
import { makeActions, makePage, makeRun, mount, NOW, trans } from './fixtures';

const makeCardRun = (changes: object = {}) => ({
  run_id: 'r1',
  name: 'one',
  status: 'finished',
  duration_s: 1,
  params: {},
  metrics: {},
  deltas: {},
  more_metrics: 0,
  nested: 0,
  recorded: '',
  progress: null,
  ...changes
});

const makeCard = (runs: unknown, changes: object = {}) => ({
  schema: 1,
  runs,
  count: 1,
  curve: null,
  ...changes
});

/** Draw what a notebook holds; null where it is no card. */
function draw(value: unknown): HTMLElement | null {
  const card = readCard(value);
  return (
    card &&
    mount(
      <RunCard
        {...{ card, isFolded: false, locale: 'en', trans }}
        onOpenRun={onOpenRun}
        onOpenPanel={() => {}}
      />
    ).node
  );
}
const onOpenRun = vi.fn();

describe('a card that somebody else wrote', () => {
  it.each([
    ...['constructor', 'toString', '__proto__', 'hasOwnProperty', 'NaN', '1'],
    ...[null, true, [], {}, [1]]
  ])('has no metric of %j', value => {
    const card = readCard(makeCard([makeCardRun({ metrics: { a: value } })]));
    expect(card?.runs[0]?.metrics).toEqual([]);
  });

  it('has the words that JSON has no numbers for', () => {
    const metrics = { a: 'nan', b: 'inf', c: '-inf', d: 1.5 };
    const node = draw(makeCard([makeCardRun({ metrics })]));
    const cells = [...(node?.querySelectorAll('tr') ?? [])];
    expect(cells.map(each => each.textContent)).toEqual([
      ...['aNaN', 'b∞', 'c-∞', 'd1.5']
    ]);
  });

  it.each([
    [{ status: 'exploded' }, 'Interrupted'],
    [{ status: {} }, 'Interrupted'],
    [{ duration_s: 'long' }, 'one Finished r1'],
    [{ duration_s: Infinity }, 'one Finished r1'],
    [{ nested: 'many' }, 'one Finished'],
    [{ nested: 1 }, '1 nested run'],
    [{ name: 5 }, 'Finished'],
    [{ metrics: [1, 2] }, 'Open this run'],
    [{ params: 'text' }, 'Open this run'],
    [{ progress: { n: 'x' } }, 'Open this run'],
    [{ progress: { n: 3, total: null } }, '3 done'],
    [{ progress: { n: 9, total: 4, description: 'fit' } }, 'fit 9 of 4'],
    [{ recorded: ['x'] }, 'Open this run']
  ])('is drawn with what can be read of it: %j', (changes, words) => {
    const node = draw(makeCard([makeCardRun(changes)]));
    expect(node?.textContent).toContain(words);
    expect(node?.textContent).not.toMatch(/undefined|\[object|Recorded: x/);
    const bar = node?.querySelector('progress');
    expect(Number(bar?.getAttribute('value') ?? 0)).toBeLessThanOrEqual(4);
  });

  it.each([
    ...[undefined, 0, 'x', [], { schema: 1 }, { schema: '1', runs: [] }],
    makeCard({}),
    makeCard([{ run_id: 7 }])
  ])('is none: %j', value => {
    expect(readCard(value)).toBeNull();
  });

  it('shows names as text in every place that has one', () => {
    const names = Object.fromEntries(EVIL_NAMES.map(name => [name, name]));
    const metrics = Object.fromEntries(EVIL_NAMES.map(name => [name, 1]));
    const runs = EVIL_NAMES.map((name, at) =>
      makeCardRun({ run_id: name, name, params: { [name]: at }, metrics })
    );
    const curve = { key: EVIL_NAMES[0], count: 2, values: [1, 2] };
    const many = draw(makeCard(runs, { count: runs.length, curve }));
    expect(listLively(many as HTMLElement)).toEqual([]);
    const [first] = runs;
    const one = draw(makeCard([{ ...first, params: names }], { curve }));
    expect(listLively(one as HTMLElement)).toEqual([]);
    expect(one?.textContent).toContain(EVIL_NAMES[1]);
    press(one as HTMLElement, 'Open this run');
    expect(onOpenRun).toHaveBeenCalledOnce();
    // Long texts are cut, so that none hides the notebook.
    expect(one?.textContent?.length).toBeLessThan(8_000);
  });

  it('is not drawn any more once its output was cleared', async () => {
    const registry = new RenderMimeRegistry();
    addCards(registry, {
      settings: new PanelSettings(),
      translator: nullTranslator,
      onOpenRun: () => {},
      onOpenPanel: () => {}
    });
    const renderer = registry.createRenderer(CARD_TYPE);
    Widget.attach(renderer, document.body);
    const data = { [CARD_TYPE]: makeCard([makeCardRun()]) as never };
    const drawn = renderer.renderModel(new MimeModel({ data }));
    renderer.dispose();
    await drawn;
    MessageLoop.flush();
    await new Promise(resolve => setTimeout(resolve));
    expect(renderer.node.childNodes).toHaveLength(0);
  });
});

describe('drawCurve', () => {
  it.each([
    [[], ''],
    [[null, null], ''],
    [[null, 3], 'M158.0 14.0'],
    [[0, null, 1], 'M2.0 26.0M158.0 2.0'],
    [[1, 2, 3], 'M2.0 26.0L80.0 14.0L158.0 2.0'],
    [[-1e308, 1e308, 1e308], 'M2.0 14.0L80.0 14.0L158.0 14.0']
  ])('draws %j', (values, line) => {
    expect(drawCurve(values)).toBe(line);
  });
});

describe('times that nobody can read', () => {
  it.each([NaN, Infinity, -Infinity])('have no age: %d', time => {
    expect(formatAge(time, 0, 'en')).toMatch(/^(–|now)$/);
    expect(formatAge(0, time, 'en')).toMatch(/^(–|now)$/);
  });

  it('do not take the list with them', () => {
    const broken = makeRun({ run_id: 'x', started_at: 'yesterday?' });
    const { node } = mount(
      <RunList
        {...{ trans, columns: null, isByTime: true, groupBy: null }}
        page={makePage([makeRun(), broken])}
        selected={new Map()}
        actions={makeActions()}
        now={Date.parse(NOW)}
        locale="en"
        onChoose={() => {}}
        onTurnTo={() => {}}
      />
    );
    const rows = [...node.querySelectorAll('time')];
    expect(rows.map(row => row.textContent)).toEqual(['2 min. ago', '–']);
    expect(listButtons(node)).toHaveLength(2);
  });
});

describe('EntryList', () => {
  it('keeps two columns of one name apart when one of them goes', () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const make = (entries: readonly (readonly [string, string])[]) => (
      <EntryList entries={entries} />
    );
    const { node, update } = mount(
      make([
        ['a', 'int'],
        ['a', 'float'],
        ['train_loss/x.y', '1']
      ])
    );
    const values = () =>
      [...node.querySelectorAll('dd')].map(each => each.textContent);
    expect(values()).toEqual(['int', 'float', '1']);
    expect(node.querySelectorAll('wbr')).toHaveLength(3);
    update(make([['a', 'float']]));
    expect(values()).toEqual(['float']);
    expect(told).not.toHaveBeenCalled();
    told.mockRestore();
  });
});
