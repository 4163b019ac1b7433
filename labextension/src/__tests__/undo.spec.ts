/**
 * What was done last can be had back as it was.
 */
import { expect, it, vi } from 'vitest';

import { RunChanges } from '../changes';
import { RequestError } from '../request';
import { FakeApi, makeDetails, makeRun } from './fixtures';

function start() {
  const api = new FakeApi();
  const changes = new RunChanges({
    api,
    getNotebook: () => 'a.ipynb',
    onChanged: () => Promise.resolve()
  });
  return { api, changes };
}

it('puts back a long tag whole, of which lists show the beginning', async () => {
  const { api, changes } = start();
  const note = 'x'.repeat(10_000);
  api.details = makeDetails({ run_id: '1', tags: { note } });
  const listed = `${note.slice(0, 296)} ...`;
  const run = makeRun({ run_id: '1', tags: { note: listed } });
  expect(await changes.removeTag(run, 'note')).toBe(true);
  expect(changes.removedTag?.value).toBe(note);
  expect(await changes.undo()).toBe(true);
  expect(api.done).toEqual([
    'edit 1 {"tags":{"note":null}}',
    `edit 1 {"tags":{"note":"${note}"}}`
  ]);
});

it('removes no long tag whose whole text it cannot read', async () => {
  const { api, changes } = start();
  vi.spyOn(api, 'getRun').mockRejectedValue(new RequestError('network'));
  const run = makeRun({ tags: { note: 'x'.repeat(300) } });
  expect(await changes.removeTag(run, 'note')).toBe(false);
  expect(api.done).toEqual([]);
  expect(changes.problem?.kind).toBe('network');
});

it('leaves what can be had back to a deletion that goes on', async () => {
  const { api, changes } = start();
  const one = makeRun({ run_id: '1' });
  const two = makeRun({ run_id: '2' });
  let go = (): void => undefined;
  vi.spyOn(api, 'deleteRun').mockImplementation(({ runId }) =>
    runId === '2'
      ? new Promise(resolve => {
          go = resolve;
        })
      : Promise.resolve()
  );
  const first = changes.remove([one, two]);
  await vi.waitFor(() => expect(changes.deleted).toEqual([one]));
  expect(await changes.remove([makeRun({ run_id: '3' })])).toBe(false);
  go();
  expect(await first).toBe(true);
  expect(changes.deleted).toEqual([one, two]);
});
