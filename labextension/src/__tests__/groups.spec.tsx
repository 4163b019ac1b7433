import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { RunChanges } from '../changes';
import { ChangeBar } from '../components/changebar';
import { groupRuns } from '../components/groups';
import { RunList } from '../components/runlist';
import { RequestError } from '../request';
import type { IRunsPage } from '../tokens';
import {
  act,
  FakeApi,
  makeActions,
  makePage,
  makeRun,
  mount,
  NOW,
  trans
} from './fixtures';

const pinned = makeRun({
  run_id: '1',
  name: 'champion',
  tags: { 'mlops.pinned': 'yes', owner: 'Ada', '<b>x</b>': 'رن' }
});
const deep = makeRun({ run_id: '2', params: { depth: 9 } });
const flat = makeRun({ run_id: '3', params: { depth: 1 } });
const bare = makeRun({ run_id: '4', params: {}, notebook: 'C:\\a\\b.ipynb' });

function read(page: IRunsPage, groupBy: string | null): string[] {
  return groupRuns(page, groupBy, trans).map(
    ({ label, runs }) => `${label}: ${runs.map(run => run.run_id).join()}`
  );
}

describe('groupRuns', () => {
  const page = makePage([deep, pinned, flat, bare], { pinned: [pinned] });

  it('puts what is pinned first, and once', () => {
    expect(read(page, null)).toEqual(['Pinned: 1', 'Other runs: 2,3,4']);
    expect(read(makePage([deep, flat]), null)).toEqual(['null: 2,3']);
    expect(read(makePage([]), null)).toEqual(['null: ']);
  });

  it('divides where what they have in common ends', () => {
    expect(read(page, 'params.depth')).toEqual([
      'Pinned: 1',
      'depth = 9: 2',
      'depth = 1: 3',
      'No depth: 4'
    ]);
    expect(read(page, 'experiment')[1]).toBe('default: 2,3,4');
    expect(read(makePage([deep, bare]), 'notebook')).toEqual([
      'No notebook: 2',
      'b.ipynb: 4'
    ]);
  });
});

describe('RunList with groups', () => {
  function mountList(page: IRunsPage) {
    const actions = makeActions();
    const make = (shown: IRunsPage) => (
      <RunList
        {...{ actions, trans, page: shown, columns: null, isByTime: true }}
        groupBy={null}
        selected={new Map()}
        now={Date.parse(NOW)}
        locale="en"
        onChoose={() => {}}
        onTurnTo={() => {}}
      />
    );
    const mounted = mount(make(page));
    const find = (label: string) =>
      [...mounted.node.querySelectorAll('button')].find(
        button => (button.ariaLabel ?? button.textContent) === label
      );
    return {
      ...mounted,
      actions,
      find,
      show: (next: IRunsPage) => mounted.update(make(next))
    };
  }

  it('leads with arrows from one group into the next', () => {
    const { node } = mountList(makePage([deep], { pinned: [pinned] }));
    const rows = node.querySelectorAll<HTMLElement>('.jp-MLOpsRun-summary');
    rows[0]?.focus();
    rows[0]?.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true })
    );
    expect(document.activeElement).toBe(rows[1]);
    expect(
      [...node.querySelectorAll('ul')].map(list => list.ariaLabel)
    ).toEqual(['Pinned', 'Other runs']);
  });

  it('removes tags, and shows them as text', () => {
    const { node, actions, find } = mountList(makePage([pinned]));
    act(() => node.querySelector<HTMLElement>('.jp-MLOpsRun-summary')?.click());
    expect(node.querySelector('.jp-MLOpsTags b')).toBeNull();
    expect(find('Remove the tag mlops.pinned')).toBeUndefined();
    act(() => find('Remove the tag owner')?.click());
    expect(actions.onUntag).toHaveBeenCalledWith(pinned, 'owner');
    act(() => find('Unpin')?.click());
    expect(actions.onPin).toHaveBeenCalledWith(pinned, false);
  });

  it('takes the focus along with a run that is pinned', () => {
    const run = makeRun({ run_id: '2' });
    const { node, find, show } = mountList(makePage([run]));
    act(() => node.querySelector<HTMLElement>('.jp-MLOpsRun-summary')?.click());
    find('Pin')?.focus();
    act(() => find('Pin')?.click());
    const now = { ...run, tags: { 'mlops.pinned': 'yes' } };
    show(makePage([now], { pinned: [now] }));
    expect(document.activeElement?.textContent).toBe('Unpin');
  });
});

describe('RunChanges of tags', () => {
  it('removes, pins and takes back', async () => {
    const api = new FakeApi();
    const onChanged = vi.fn(() => Promise.resolve());
    const changes = new RunChanges({
      api,
      getNotebook: () => 'a.ipynb',
      onChanged
    });
    await changes.setPin(deep, true);
    await changes.setPin(pinned, false);
    expect(await changes.removeTag(pinned, 'owner')).toBe(true);
    expect(changes.removedTag?.value).toBe('Ada');
    await changes.undo();
    expect(changes.removedTag).toBeNull();
    expect(api.done).toEqual([
      'edit 2 {"tags":{"mlops.pinned":"yes"}}',
      'edit 1 {"tags":{"mlops.pinned":null}}',
      'edit 1 {"tags":{"owner":null}}',
      'edit 1 {"tags":{"owner":"Ada"}}'
    ]);
    api.failure = new RequestError('server', 'read only');
    expect(await changes.removeTag(pinned, 'owner')).toBe(false);
    expect(changes.removedTag).toBeNull();
    changes.dispose();
  });

  it('says what was removed', () => {
    const onUndo = vi.fn();
    const { node } = mount(
      <ChangeBar
        selected={[]}
        mostCompared={20}
        deleted={[]}
        removedTag={{ run: pinned, key: 'owner', value: 'Ada' }}
        problem={null}
        isBusy={false}
        trans={trans}
        onCompare={() => {}}
        onDelete={() => {}}
        onUnselect={() => {}}
        onUndo={onUndo}
        onDismiss={() => {}}
      />
    );
    expect(node.textContent).toContain('Removed the tag “owner” of “champion”');
    act(() => node.querySelector('button')?.click());
    expect(onUndo).toHaveBeenCalledOnce();
  });
});
