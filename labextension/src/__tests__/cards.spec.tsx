import { MimeModel, RenderMimeRegistry } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { addCards } from '../cards';
import { CARD_TYPE, readCard } from '../cardwords';
import { drawCurve } from '../components/card';
import { PanelSettings } from '../settings';

const evil = '<img src=x onerror=alert(1)>';
const made: Widget[] = [];
const onOpenRun = vi.fn();
const onOpenPanel = vi.fn();
let settings: PanelSettings;
let registry: RenderMimeRegistry;

const makeRun = (changes = {}) => ({
  run_id: '01a203a4-847e-746c-9293-b10b322d072d',
  name: evil,
  status: 'finished',
  duration_s: 1.5,
  params: { C: '0.5' },
  metrics: { acc: 0.75, lost: 'nan', [evil]: 1 },
  deltas: { acc: 0.25, [evil]: 0 },
  more_metrics: 3,
  nested: 2,
  recorded: 'X (3 × 2), code',
  progress: null,
  ...changes
});

const makeCard = (runs: unknown[], changes = {}) => ({
  schema: 1,
  runs,
  count: runs.length,
  curve: null,
  ...changes
});

beforeEach(() => {
  // Widgets render when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  vi.clearAllMocks();
  settings = new PanelSettings();
  registry = new RenderMimeRegistry();
  addCards(registry, {
    ...{ settings, onOpenRun, onOpenPanel },
    translator: nullTranslator
  });
});

afterEach(() => {
  made.splice(0).forEach(widget => widget.dispose());
});

/** Draw an output as a notebook does, which need not be trusted. */
async function draw(card: unknown, words: string): Promise<HTMLElement> {
  const data = {
    [CARD_TYPE]: card as never,
    'text/html': '<b>HTML</b>',
    'text/plain': 'run in words'
  };
  const model = new MimeModel({ data, trusted: false });
  const type = registry.preferredMimeType(model.data, 'ensure');
  expect(type).toBe(CARD_TYPE);
  const renderer = registry.createRenderer(type ?? '');
  made.push(renderer);
  Widget.attach(renderer, document.body);
  void renderer.renderModel(model);
  await vi.waitFor(() => {
    MessageLoop.flush();
    expect(renderer.node.textContent).toContain(words);
  }, 10_000);
  return renderer.node;
}

const click = (node: HTMLElement, words: string) =>
  [...node.querySelectorAll('button')]
    .find(button => button.textContent === words)
    ?.click();

describe('the card of a run', () => {
  it('is drawn in notebooks that are not trusted, as text', async () => {
    const progress = { n: 3, total: 4, description: evil };
    const curve = { key: evil, count: 9, values: [1, 'nan', 2, 3] };
    const node = await draw(
      makeCard([makeRun({ progress })], { curve }),
      'Recorded: X'
    );
    expect(node.textContent).toContain(
      `${evil} Finished · 1.5\u00a0s · 2 nested runs 322d072d`
    );
    expect(node.textContent).toContain('acc0.75▲ +0.25');
    expect(node.textContent).toContain(`lostNaN${evil}1= best so far`);
    expect(node.textContent).toContain('and 3 more');
    expect(node.textContent).toContain(`${evil} 3 of 4`);
    expect(node.querySelectorAll('img, script')).toHaveLength(0);
    expect(node.querySelector('svg path')).not.toBeNull();
    click(node, 'Open this run');
    expect(onOpenRun.mock.lastCall?.[0]).toMatchObject({ name: evil });
    click(node, 'Open the panel');
    expect(onOpenPanel).toHaveBeenCalledOnce();
  });

  it('shows many runs as a table of what differs', async () => {
    const second = makeRun({
      run_id: 'two',
      name: 'second',
      status: 'failed',
      duration_s: null,
      params: { C: '2', same: 'x' },
      metrics: { fit_time_s: 2, acc: 1 }
    });
    const alone = await draw(makeCard([second]), 'Open this run');
    expect(alone.textContent).toContain('acc1▲ +0.25fit_time_s2');
    const runs = [makeRun({ params: { C: '1', same: 'x' } }), second];
    const node = await draw(makeCard(runs, { count: 30 }), 'the first 2 shown');
    const heads = [...node.querySelectorAll('thead th')];
    expect(heads.map(head => head.textContent)).toEqual([
      ...['Run', 'Status', 'Duration'],
      ...['acc', 'lost', evil, 'fit_time_s', 'C']
    ]);
    click(node, 'second');
    expect(onOpenRun.mock.lastCall?.[0]).toMatchObject({ runId: 'two' });
  });

  it.each([
    null,
    'text',
    { schema: 2, runs: [makeRun()] },
    makeCard([]),
    makeCard([{ name: 'no id' }, null, 7])
  ])('shows the words of what it cannot read: %j', async card => {
    const node = await draw(card, 'run in words');
    expect(node.querySelector('details')).toBeNull();
  });

  it('bounds what a hostile notebook holds', () => {
    const keys = Array.from({ length: 5000 }, (_, place) => `k${place}`);
    const metrics = Object.fromEntries(keys.map(key => [key, 1]));
    const runs = keys.map(key =>
      makeRun({ run_id: key, name: 'x'.repeat(10_000), metrics, params: 7 })
    );
    const curve = { key: 'k', count: 'many', values: keys };
    const card = readCard(makeCard(runs, { count: null, curve }));
    expect(card?.runs).toHaveLength(50);
    expect(card?.count).toBe(5000);
    expect(card?.runs[0]?.name).toHaveLength(300);
    expect(card?.runs[0]?.metrics).toHaveLength(50);
    expect(card?.curve?.values).toHaveLength(300);
    expect(drawCurve(card?.curve?.values ?? [])).toBe('');
    expect(drawCurve([5, 5])).toBe('M2.0 14.0L158.0 14.0');
  });

  it('is quiet where the settings say so', async () => {
    let isQuiet = true;
    vi.spyOn(settings, 'foldCards', 'get').mockImplementation(() => isQuiet);
    const node = await draw(makeCard([makeRun()]), 'Finished');
    expect(node.querySelector('details')?.open).toBe(false);
    isQuiet = false;
    (settings.changed as unknown as { emit: () => void }).emit();
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(node.querySelector('details')?.open).toBe(true);
    });
  });
});
