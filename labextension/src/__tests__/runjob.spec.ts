/**
 * The page of a run goes on telling of a reproduction, also where it could not be asked for once.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { expect, it, onTestFinished, vi } from 'vitest';

import { RequestError } from '../request';
import { RunPage } from '../sections/runpage';
import type { ProblemKind } from '../tokens';
import { FakeAgain } from './fakes';
import { FakeApi, makeJob } from './fixtures';

function show(api: FakeApi): HTMLElement {
  // Widgets render when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  const page = new RunPage({
    api,
    place: { runId: 'r', notebook: 'n' },
    translator: nullTranslator,
    makeAgain: () => new FakeAgain(),
    onOpen: vi.fn(),
    onCompare: vi.fn(),
    onOpenFile: vi.fn(),
    onOpenCells: vi.fn()
  });
  Widget.attach(page, document.body);
  onTestFinished(() => page.dispose());
  return page.node;
}

const says = (node: HTMLElement, words: string) =>
  vi.waitFor(() => {
    MessageLoop.flush();
    expect(node.textContent).toContain(words);
  }, 10_000);

it('says that a reproduction could not be asked for, and asks again', async () => {
  const api = new FakeApi();
  api.job = makeJob({ mode: 'reproduce', status: 'running' });
  vi.spyOn(api, 'getReproduction')
    .mockResolvedValueOnce({ job: api.job })
    .mockRejectedValueOnce(new RequestError('timeout'));
  const node = show(api);
  await says(node, 'Reproducing in a copy');
  await says(node, 'The server takes too long to answer');
  expect(node.textContent).toContain('Reproducing in a copy');
  api.job = makeJob({ mode: 'reproduce', status: 'interrupted' });
  await vi.waitFor(() => {
    MessageLoop.flush();
    expect(node.textContent).not.toContain('Reproducing in a copy');
  }, 10_000);
  expect(node.textContent).not.toContain('takes too long');
}, 30_000);

it.each<ProblemKind>(['missing', 'input'])(
  'shows a run all the same where reproductions are %s',
  async kind => {
    const api = new FakeApi();
    vi.spyOn(api, 'getReproduction').mockRejectedValue(new RequestError(kind));
    await says(show(api), 'baseline');
  }
);
