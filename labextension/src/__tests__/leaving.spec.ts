import { beforeEach, describe, expect, it, vi } from 'vitest';

import { RunChanges } from '../changes';
import { RequestError } from '../request';
import { PipelineSteering } from '../steering';
import type { IJob, IRun } from '../tokens';
import { Held, rest } from './acting';
import { FakeApi, FakeBridge, makeJob, makeRun } from './fixtures';

const runs = ['1', '2', '3'].map(run_id => makeRun({ run_id, name: run_id }));
const [first] = runs as [IRun];
let api: FakeApi;
let notebook: string | null;

beforeEach(() => {
  api = new FakeApi();
  notebook = 'a.ipynb';
});

describe('RunChanges while another notebook comes into view', () => {
  let changes: RunChanges;
  const onChanged = vi.fn(() => Promise.resolve());

  beforeEach(() => {
    onChanged.mockClear();
    changes = new RunChanges({
      api,
      getNotebook: () => notebook,
      onChanged
    });
    return () => changes.dispose();
  });

  const leave = () => {
    notebook = 'b.ipynb';
    changes.clear();
  };

  it('deletes what was chosen, and offers nothing of it to undo', async () => {
    const held = new Held<undefined>();
    const places: unknown[] = [];
    api.deleteRun = async place => {
      places.push(`${place.notebook} ${place.runId}`);
      await held.ask();
    };
    const done = changes.remove(runs);
    held.open[0]?.resolve(undefined);
    await rest();
    expect(changes.deleted).toHaveLength(1);
    leave();
    changes.toggle(first);
    held.open[1]?.resolve(undefined);
    await rest();
    expect(held.open).toHaveLength(3);
    held.open[2]?.resolve(undefined);
    expect(await done).toBe(true);
    // All of the store that they were chosen in, none of the other.
    expect(places).toEqual(['a.ipynb 1', 'a.ipynb 2', 'a.ipynb 3']);
    expect(changes.deleted).toEqual([]);
    expect([...changes.selected.keys()]).toEqual(['1']);
    expect(changes.isBusy).toBe(false);
    await changes.undo();
    expect(api.done).toEqual([]);
  });

  it('says nothing there of what was refused here', async () => {
    const held = new Held<IRun>();
    api.editRun = held.ask;
    const done = changes.rename(first, 'new');
    leave();
    held.open[0]?.reject(new RequestError('server', 'read only'));
    expect(await done).toBe(false);
    expect(changes.problem).toBeNull();
    expect(changes.isBusy).toBe(false);
    expect(onChanged).toHaveBeenCalledOnce();
  });

  it('offers no tag back that a run of another notebook had', async () => {
    const held = new Held<IRun>();
    api.editRun = held.ask;
    const tagged = makeRun({ tags: { owner: 'Ada' } });
    const done = changes.removeTag(tagged, 'owner');
    leave();
    held.open[0]?.resolve(tagged);
    expect(await done).toBe(true);
    expect(changes.removedTag).toBeNull();
  });

  it('tells again of what is done afterwards', async () => {
    leave();
    await changes.remove([first]);
    expect(changes.deleted).toEqual([first]);
    api.failure = new RequestError('server', 'read only');
    expect(await changes.setPin(first, true)).toBe(false);
    expect(changes.problem?.message).toBe('read only');
    changes.dismiss();
    expect([changes.problem, changes.deleted]).toEqual([null, []]);
  });
});

describe('PipelineSteering while another notebook comes into view', () => {
  let steering: PipelineSteering;

  beforeEach(() => {
    steering = new PipelineSteering({
      api,
      bridge: new FakeBridge(),
      getNotebook: () => notebook,
      onChanged: () => Promise.resolve()
    });
    return () => steering.dispose();
  });

  const leave = () => {
    notebook = 'b.ipynb';
    steering.clear();
  };

  it('says nothing there of a script that was written here', async () => {
    const held = new Held<{ path: string }>();
    api.exportScript = held.ask;
    const done = steering.exportScript();
    await rest();
    expect(held.asked).toEqual([['a.ipynb']]);
    leave();
    held.open[0]?.resolve({ path: 'a.py' });
    expect(await done).toBe(true);
    expect(steering.exported).toBeNull();
    expect(steering.isBusy).toBe(false);
  });

  it('says nothing there of a run that was refused here', async () => {
    const held = new Held<never>();
    api.startJob = held.ask;
    const done = steering.start({});
    await rest();
    expect(held.open).toHaveLength(1);
    leave();
    held.open[0]?.reject(new RequestError('server', 'no room'));
    expect(await done).toBe(false);
    expect(steering.problem).toBeNull();
  });

  it('takes the end of a run here for none there', async () => {
    const held = new Held<{ job: IJob; problem: null }>();
    api.startJob = held.ask;
    const done = steering.start({});
    await rest();
    expect(held.open).toHaveLength(1);
    leave();
    held.open[0]?.resolve({ job: makeJob(), problem: null });
    await done;
    const asked = vi.spyOn(api, 'getPipeline');
    api.job = null;
    await steering.load();
    // A run that had ended would have the pipeline asked for once more.
    expect(asked.mock.calls).toEqual([['b.ipynb']]);
  });
});
