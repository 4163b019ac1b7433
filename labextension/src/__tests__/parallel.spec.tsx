import * as React from 'react';
import { describe, expect, it } from 'vitest';

import { drawRun, makeAxes, MOST_AXES, Parallel } from '../components/parallel';
import type { IComparedRow } from '../tokens';
import { act, makeRun, mount, trans } from './fixtures';

const evil = '<img src=x onerror=alert(1)>';

const makeRow = (
  group: IComparedRow['group'],
  key: string,
  values: readonly unknown[],
  differs = true
): IComparedRow => ({ group, key, values, differs });

const makePlaces = (rows: readonly IComparedRow[]) =>
  makeAxes(rows, 'en').map(axis => [axis.key, axis.places]);

describe('makeAxes', () => {
  it('takes parameters first, costs last, and only what differs', () => {
    const rows = [
      makeRow('metric', 'fit_time_s', [1, 2]),
      makeRow('metric', 'accuracy', [0.5, 1]),
      makeRow('param', 'depth', [3, 3], false),
      makeRow('param', 'C', [1, 3]),
      makeRow('tag', 'note', ['a', 'b'])
    ];
    expect(makePlaces(rows)).toEqual([
      ['C', [0, 1]],
      ['accuracy', [0, 1]],
      ['fit_time_s', [0, 1]]
    ]);
  });

  it('takes factors for equal steps where values are far apart', () => {
    const near = makeRow('param', 'near', [1, 2, 3]);
    const far = makeRow('param', 'far', [0.01, 1, 100]);
    const signs = makeRow('param', 'signs', [-100, 0, 100]);
    expect(makePlaces([near, far, signs])).toEqual([
      ['near', [0, 0.5, 1]],
      ['far', [0, 0.5, 1]],
      ['signs', [0, 0.5, 1]]
    ]);
  });

  it('gives words places of their own, and leaves out what cannot be drawn', () => {
    const rows = [
      makeRow('param', 'kernel', ['rbf', 'poly', 'rbf', null]),
      makeRow('param', 'mixed', [1, 'auto', 1, 1]),
      makeRow('param', 'flag', [true, false, true, true]),
      makeRow('metric', 'loss', [1, 'NaN', 3, null]),
      makeRow('metric', 'lost', ['NaN', 'Infinity', 1, 1]),
      makeRow('metric', 'huge', [-1.7e308, 1.7e308, 0, null])
    ];
    expect(makePlaces(rows)).toEqual([
      ['kernel', [0, 1, 0, null]],
      ['mixed', [0, 1, 0, 0]],
      ['flag', [0, 1, 0, 0]],
      ['loss', [0, null, 1, null]],
      ['huge', [0, 1, 0.5, null]]
    ]);
    const words = Array.from({ length: 9 }, (_, place) => `word ${place}`);
    expect(makeAxes([makeRow('param', 'path', words)], 'en')).toEqual([]);
  });

  it('draws no more axes than can be read', () => {
    const rows = Array.from({ length: 30 }, (_, place) =>
      makeRow('param', `p${place}`, [1, 2])
    );
    expect(makeAxes(rows, 'en')).toHaveLength(MOST_AXES);
  });
});

describe('drawRun', () => {
  it('leaves a gap where a run has no value, and shows a point alone', () => {
    const axes = makeAxes(
      [
        makeRow('param', 'a', [1, 2]),
        makeRow('param', 'b', [null, 2]),
        makeRow('param', 'c', [5, 4]),
        makeRow('param', 'd', [5, 4])
      ].map(row => ({ ...row, values: [...row.values, 3] })),
      'en'
    );
    expect(drawRun(axes, 0)).toMatch(/^M55 \S+L55 \S+M275 \S+L385 \S+$/);
    expect(drawRun(axes, 1)).toMatch(/^M55 \S+L165 \S+L275 \S+L385 \S+$/);
  });
});

describe('Parallel', () => {
  const runs = [
    makeRun({ run_id: 'r0', name: evil }),
    makeRun({ run_id: 'r1', name: 'second' })
  ];
  const show = (rows: readonly IComparedRow[]) =>
    mount(
      <Parallel
        comparison={{ runs, rows, count: rows.length, offset: 0 }}
        locale="en"
        trans={trans}
      />
    ).node;

  it('says what it shows, runs nothing, and brings out the run pointed at', () => {
    const node = show([
      makeRow('param', `${evil}${evil}`, [0.01, 10]),
      makeRow('metric', 'accuracy', [0.5, 0.75])
    ]);
    const chart = node.querySelector('svg[role=img]');
    expect(chart?.getAttribute('aria-label')).toBe(
      `2 runs over ${evil}${evil}, accuracy`
    );
    expect(node.querySelector('img')).toBeNull();
    expect(node.textContent).toContain(evil);
    expect(node.textContent).toContain('0.75');
    const lines = [...(chart?.querySelectorAll('[data-line]') ?? [])];
    expect(lines).toHaveLength(2);
    const dims = () => lines.map(line => line.getAttribute('data-dim'));
    expect(dims()).toEqual(['false', 'false']);
    act(() => {
      lines[1]?.dispatchEvent(new MouseEvent('pointerover', { bubbles: true }));
    });
    expect(dims()).toEqual(['true', 'false']);
  });

  it('is left out where there is one axis alone', () => {
    expect(show([makeRow('param', 'C', [1, 2])]).textContent).toBe('');
  });
});
