import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { findShared, MOST_LINES, Overlays } from '../components/overlay';
import { RequestError } from '../request';
import type { ICurve } from '../tokens';
import { act, makeCurve, makeRun, mount, trans } from './fixtures';

const evil = '<img src=x onerror=alert(1)>';

const makeRuns = (count: number) =>
  Array.from({ length: count }, (_, place) =>
    makeRun({
      run_id: `r${place}`,
      name: place === 0 ? evil : `run ${place}`,
      metrics: { loss: 1, fit_time_s: 2 }
    })
  );

/** Show the overlays, and wait for their curves. */
async function show(
  count: number,
  onCurve: (runId: string, key: string) => Promise<ICurve>
): Promise<HTMLElement> {
  const { node } = mount(
    <Overlays
      runs={makeRuns(count)}
      revision={1}
      locale="en"
      trans={trans}
      onCurve={onCurve}
    />
  );
  await React.act(() => new Promise(resolve => setTimeout(resolve, 30)));
  return node;
}

describe('Overlays', () => {
  it('draws a line a run, tells them apart, and reads them in words', async () => {
    const node = await show(2, (runId, key) =>
      Promise.resolve(
        key === 'loss'
          ? makeCurve({ key, steps: runId === 'r0' ? [0, 1, 2] : [5, 6, 9] })
          : makeCurve({ key, count: 1, steps: [0], lows: [2], highs: [2] })
      )
    );
    const charts = node.querySelectorAll('svg[role=img]');
    expect(charts).toHaveLength(1);
    expect(charts[0]?.getAttribute('aria-label')).toBe(
      'loss of 2 runs over steps 0 to 9: from 0.25 to 1'
    );
    const lines = charts[0]?.querySelectorAll('[data-line]') ?? [];
    expect([...lines].map(line => line.getAttribute('data-line'))).toEqual([
      '0',
      '1'
    ]);
    expect(node.textContent).toContain(evil);
    expect(node.querySelector('img')).toBeNull();
    const read = () =>
      [...node.querySelectorAll('.jp-MLOpsLegend-value')].map(
        value => value.textContent
      );
    expect(read()).toEqual(['0.25', '0.25']);
    act(() => {
      charts[0]?.dispatchEvent(
        new MouseEvent('pointermove', { bubbles: true })
      );
    });
    expect(read()).toEqual(['1', '1']);
  });

  it('asks for no more lines than can be told apart', async () => {
    const onCurve = vi.fn(() => Promise.resolve(makeCurve()));
    const node = await show(MOST_LINES + 3, onCurve);
    expect(onCurve).toHaveBeenCalledTimes(2 * MOST_LINES);
    expect(node.textContent).toContain(`Of the first ${MOST_LINES} runs.`);
  });

  it('says what failed', async () => {
    const node = await show(2, () =>
      Promise.reject(new RequestError('server', 'disk is gone'))
    );
    expect(node.textContent).toContain('disk is gone');
  });
});

describe('findShared', () => {
  it('gives what two runs or more have, costs last', () => {
    const runs = [
      makeRun({ metrics: { fit_time_s: 1, acc: 1, own: 1 } }),
      makeRun({ metrics: { acc: 2, fit_time_s: 1, __proto__: 1 } })
    ];
    expect(findShared(runs)).toEqual(['acc', 'fit_time_s']);
    expect(findShared([])).toEqual([]);
  });
});
