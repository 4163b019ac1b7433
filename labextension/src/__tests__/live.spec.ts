import type { Event } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CHANGED, LiveChanges } from '../live';
import { Settler } from '../settler';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** News of the store of one notebook. */
function listen() {
  const stream = new Signal<object, Event.Emission>({});
  const live = new LiveChanges({
    events: { stream } as unknown as Event.IManager,
    getNotebook: () => 'a.ipynb'
  });
  const heard: string[] = [];
  live.changed.connect(() => heard.push('runs'));
  live.cellsChanged.connect(() => heard.push('cells'));
  const emit = (parts: unknown) =>
    stream.emit({
      ...{ schema_id: CHANGED, notebooks: ['a.ipynb'] },
      ...(parts === undefined ? {} : { parts })
    } as unknown as Event.Emission);
  return { live, heard, emit };
}

it('tells of runs at once, and of cells when all is quiet', () => {
  const { live, heard, emit } = listen();
  for (const parts of [['runs'], ['runs', 'sessions'], ['late'], undefined]) {
    emit(parts);
  }
  expect(heard).toEqual(['runs', 'runs', 'runs', 'runs']);
  heard.length = 0;
  emit(['sessions']);
  vi.advanceTimersByTime(200);
  emit(['sessions']);
  vi.advanceTimersByTime(299);
  expect(heard).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(heard).toEqual(['cells']);
  emit(['sessions']);
  live.dispose();
  vi.advanceTimersByTime(5000);
  expect(heard).toEqual(['cells']);
  expect(vi.getTimerCount()).toBe(0);
});

describe('Settler', () => {
  it('tells now and then where it is never quiet', () => {
    let told = 0;
    const settler = new Settler(() => told++, 300, 1000);
    for (let at = 0; at < 10000; at += 50) {
      settler.invoke();
      vi.advanceTimersByTime(50);
    }
    expect(told).toBeGreaterThanOrEqual(9);
    expect(told).toBeLessThanOrEqual(10);
    settler.dispose();
    settler.invoke();
    expect(settler.isDisposed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits no longer where the clock is set back', () => {
    let told = 0;
    const settler = new Settler(() => told++, 300, 1000);
    settler.invoke();
    vi.setSystemTime(Date.now() - 3600_000);
    settler.invoke();
    vi.advanceTimersByTime(300);
    expect(told).toBe(1);
    settler.dispose();
  });
});

it('tells of the notebook in view alone', () => {
  const stream = new Signal<object, Event.Emission>({});
  const live = new LiveChanges({
    events: { stream } as unknown as Event.IManager,
    getNotebook: () => 'a.ipynb'
  });
  let heard = 0;
  live.changed.connect(() => heard++);
  const emit = (schema: string, notebooks: unknown) =>
    stream.emit({ schema_id: schema, notebooks } as Event.Emission);
  emit(CHANGED, ['b.ipynb']);
  emit('https://events.jupyter.org/other', ['a.ipynb']);
  emit(CHANGED, 'a.ipynb');
  expect(heard).toBe(0);
  emit(CHANGED, ['b.ipynb', 'a.ipynb']);
  expect(heard).toBe(1);
  live.dispose();
  emit(CHANGED, ['a.ipynb']);
  expect(live.isDisposed).toBe(true);
  expect(heard).toBe(1);
});
