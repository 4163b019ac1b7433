import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { WhatChanged } from '../components/whatchanged';
import { RequestError } from '../request';
import type { IComparison, OtherRun } from '../tokens';
import { makeRun, mount, trans } from './fixtures';

const evil = '<img src=x onerror=alert(1)>';

describe('WhatChanged', () => {
  const runs = [
    makeRun({ run_id: 'old', name: evil }),
    makeRun({ run_id: 'new', name: evil })
  ];
  const onOpen = vi.fn();
  const onCompare = vi.fn();

  const draw = (
    answer: (beside: OtherRun) => Promise<IComparison>
  ): [HTMLElement, ReturnType<typeof vi.fn>] => {
    const onAsk = vi.fn(answer);
    const { node } = mount(
      <WhatChanged
        run={makeRun({ run_id: 'new' })}
        {...{ trans, onAsk, onOpen, onCompare }}
        locale="en"
      />
    );
    return [node, onAsk];
  };

  const give = (beside: OtherRun, best_by: string | null) => ({
    runs,
    rows: [
      { group: 'param', key: beside, values: [evil, 2], differs: true }
    ] as const,
    ...{ count: 1, offset: 0, best_by }
  });

  const press = (node: HTMLElement, label: string) =>
    React.act(async () => {
      const found = [...node.querySelectorAll('button')].find(
        each => each.textContent === label
      );
      expect(found, label).toBeDefined();
      found?.click();
      await Promise.resolve();
    });

  it('asks for nothing before it is opened, and closes again', async () => {
    const [node, onAsk] = draw(beside => Promise.resolve(give(beside, 'acc')));
    expect(onAsk).not.toHaveBeenCalled();
    expect(node.querySelector('table')).toBeNull();
    await press(node, 'Since the best other run');
    expect(onAsk).toHaveBeenCalledExactlyOnceWith('best', 0);
    expect(node.textContent).toContain('the best other run by acc, then');
    expect(node.querySelector('td:not(:empty)')?.textContent).toBe(evil);
    await press(node, 'Since the run before it');
    expect(onAsk).toHaveBeenLastCalledWith('previous', 0);
    expect(node.textContent).toContain('First the run before it');
    const open = node.querySelectorAll('[aria-expanded=true]');
    expect([...open].map(each => each.textContent)).toEqual([
      'Since the run before it'
    ]);
    await press(node, 'Open the comparison');
    expect(onCompare).toHaveBeenCalledExactlyOnceWith(runs);
    await press(node, evil);
    expect(onOpen).toHaveBeenCalledExactlyOnceWith('old', evil);
    await press(node, 'Since the run before it');
    expect(node.querySelector('table')).toBeNull();
  });

  it('says how the other was found where nothing was measured', async () => {
    const [node] = draw(beside => Promise.resolve(give(beside, '')));
    await press(node, 'Since the best other run');
    expect(node.textContent).toContain('First the newest other run');
  });

  it('says that there is no other, which is no fault', async () => {
    const [node] = draw(() => Promise.reject(new RequestError('input', 'no')));
    await press(node, 'Since the best other run');
    expect(node.querySelector('[role=status]')?.textContent).toContain(
      'No other run of this name'
    );
    await press(node, 'Since the run before it');
    expect(node.querySelector('[role=status]')?.textContent).toContain(
      'This is the first run'
    );
    expect(node.querySelector('[role=alert]')).toBeNull();
  });

  it('says what failed, and tries again', async () => {
    const answer = vi
      .fn<(beside: OtherRun) => Promise<IComparison>>()
      .mockRejectedValueOnce(new RequestError('server', 'disk is gone'))
      .mockResolvedValue(give('best', 'acc'));
    const [node] = draw(answer);
    await press(node, 'Since the best other run');
    expect(node.querySelector('[role=alert]')?.textContent).toContain(
      'disk is gone'
    );
    await press(node, 'Try again');
    expect(node.querySelector('table')).not.toBeNull();
  });
});
