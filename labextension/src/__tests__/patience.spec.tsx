import * as React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { useGrowing } from '../components/growing';
import { Loader } from '../loader';
import { MLOpsModel } from '../model';
import { NotebookRecording } from '../recording';
import type { IRunsPage } from '../tokens';
import { FakeCells } from './fakes';
import { FakeApi, makePage, makeRun, NOW } from './fixtures';
import { mount } from './mounting';

/** Questions that are answered when the test says so. */
class Held<T> {
  readonly ask = () =>
    new Promise<T>((resolve, reject) => this.open.push({ resolve, reject }));

  readonly open: {
    resolve: (value: T) => void;
    reject: (reason: Error) => void;
  }[] = [];
}

describe('a server that is slower than its news', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  const pass = (milliseconds: number) =>
    vi.advanceTimersByTimeAsync(milliseconds);

  it('is asked one question at a time for the runs', async () => {
    const held = new Held<IRunsPage>();
    const api = Object.assign(new FakeApi(), { listRuns: held.ask });
    const model = new MLOpsModel({ api });
    model.setNotebook('a.ipynb');
    model.visible = true;
    await pass(0);
    for (let news = 0; news < 100; news++) {
      void model.refresh();
      await pass(100);
    }
    expect(held.open).toHaveLength(1);
    held.open[0]?.resolve(makePage([makeRun({ name: 'old' })]));
    await pass(0);
    expect(model.page?.runs[0]?.name).toBe('old');
    expect(held.open).toHaveLength(2); // news came after the first question
    held.open[1]?.resolve(makePage([makeRun({ name: 'new' })]));
    await pass(1000);
    expect(model.page?.runs[0]?.name).toBe('new');
    expect(held.open).toHaveLength(2);
    model.dispose();
  });

  it('is asked at once about another page, whatever hangs', async () => {
    const held = new Held<IRunsPage>();
    const api = Object.assign(new FakeApi(), { listRuns: held.ask });
    const model = new MLOpsModel({ api });
    model.setNotebook('a.ipynb');
    model.visible = true;
    await pass(0);
    model.turnTo(25);
    await pass(0);
    expect(held.open).toHaveLength(2);
    held.open[1]?.resolve(makePage([makeRun({ name: 'second page' })]));
    held.open[0]?.resolve(makePage([makeRun({ name: 'first page' })]));
    await pass(0);
    expect(model.page?.runs[0]?.name).toBe('second page');
    model.dispose();
  });

  it('is left alone for a while where it fails, however much is new', async () => {
    // The first pause of a poll is drawn from what lies between nothing and its interval.
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const held = new Held<IRunsPage>();
    const api = Object.assign(new FakeApi(), { listRuns: held.ask });
    const model = new MLOpsModel({ api });
    model.setNotebook('a.ipynb');
    model.visible = true;
    await pass(0);
    void model.refresh();
    held.open[0]?.reject(new Error('no disk'));
    await pass(500);
    expect(held.open).toHaveLength(1);
    expect(model.problem).not.toBeNull();
    await pass(15000);
    expect(held.open).toHaveLength(2);
    model.dispose();
  });

  it('is asked one question at a time for an answer of a section', async () => {
    const held = new Held<number>();
    const loader = new Loader({ ask: held.ask, isLive: () => false });
    loader.visible = true;
    await pass(0);
    for (let news = 0; news < 100; news++) {
      void loader.refresh();
      await pass(100);
    }
    expect(held.open).toHaveLength(1);
    loader.reset(); // another notebook is in view
    await pass(0);
    expect(held.open).toHaveLength(2);
    void loader.refresh();
    held.open[0]?.resolve(1);
    await pass(0);
    expect([loader.value, held.open.length]).toEqual([null, 2]);
    held.open[1]?.resolve(2);
    await pass(0);
    expect([loader.value, held.open.length]).toEqual([2, 3]);
    held.open[2]?.resolve(3);
    await pass(60000);
    expect([loader.value, held.open.length]).toEqual([3, 3]);
    loader.dispose();
  });

  it('shows a curve as it grows, and nothing of another one', async () => {
    const held = new Held<string>();
    const Curve = (props: { about: string; news: number }) => (
      <p>{useGrowing(held.ask, [props.about], props.news) ?? 'none'}</p>
    );
    const { node, update } = mount(<Curve about="loss" news={0} />);
    for (let news = 1; news < 100; news++) {
      update(<Curve about="loss" news={news} />);
      await pass(100);
    }
    expect(held.open).toHaveLength(1);
    const answer = async (place: number, value: string) => {
      held.open[place]?.resolve(value);
      await React.act(() => pass(300));
    };
    await answer(0, 'first');
    expect([node.textContent, held.open.length]).toEqual(['first', 2]);
    await answer(1, 'second');
    expect([node.textContent, held.open.length]).toEqual(['second', 2]);
    update(<Curve about="accuracy" news={100} />);
    expect([node.textContent, held.open.length]).toEqual(['none', 3]);
    held.open[2]?.reject(new Error('gone'));
    await pass(300);
    update(<Curve about="accuracy" news={101} />);
    await answer(3, 'third');
    expect([node.textContent, held.open.length]).toEqual(['third', 4]);
  });

  it('is not asked again for all cells since one that lost its end', async () => {
    const asked: number[] = [];
    const all = Array.from({ length: 200 }, (_, index) => ({
      ...{ index, cell_id: 'c', execution_count: index, source: 'x' },
      ...{ reads: [], writes: [], changes: [], is_repeat: false },
      status: index === 3 || index === 199 ? 'running' : 'ok'
    }));
    const session = {
      ...{ session_id: 's', started_at: NOW },
      ...{ is_live: true, is_recording: true }
    };
    const api = Object.assign(new FakeApi(), {
      getNotebook: ({ since }: { since: number }) => {
        asked.push(since);
        const news = { session, executions: all.slice(since), from: since };
        return Promise.resolve({ ...news, count: 200, runs: [], now: NOW });
      }
    });
    const recording = new NotebookRecording({
      api,
      cells: new FakeCells(),
      getNotebook: () => 'a.ipynb',
      onChanged: () => Promise.resolve()
    });
    await recording.load();
    expect((await recording.load()).executions).toHaveLength(200);
    expect(asked).toEqual([0, 199]);
    recording.dispose();
  });
});
