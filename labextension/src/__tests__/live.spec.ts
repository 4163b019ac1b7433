import type { Event } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { expect, it } from 'vitest';

import { CHANGED, LiveChanges } from '../live';

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
