import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { compareVersions } from '../components/modelcompare';
import { chooseOther } from '../components/version';
import { RequestError } from '../request';
import type { INotebookInView } from '../sections/answerview';
import { ModelPage } from '../sections/modelpage';
import { ModelsSection } from '../sections/models';
import type { IModelChange, IModelField } from '../tokens';
import {
  FakeApi,
  makeModel,
  makeModelsPage,
  makeVersion,
  trans
} from './fixtures';

const evil = '<img src=x onerror=alert(1)>';

class View implements INotebookInView {
  notebook: string | null = 'a.ipynb';
  readonly notebookChanged = new Signal<this, void>(this);
}

let api: FakeApi;
let view: View;
const onOpen = vi.fn();

beforeEach(() => {
  // Widgets render when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  api = new FakeApi();
  view = new View();
  onOpen.mockClear();
});

async function show(widget: Widget, words: string): Promise<void> {
  if (!widget.isAttached) {
    Widget.attach(widget, document.body);
  }
  await vi.waitFor(() => {
    MessageLoop.flush();
    const text = widget.node.textContent ?? '';
    // Not toContain: its message would give all of a text of many pages.
    expect(text.includes(words), words).toBe(true);
  }, 10_000);
}

function press(widget: Widget, name: string): void {
  const found = [...widget.node.querySelectorAll('button')].find(
    button => (button.getAttribute('aria-label') ?? button.textContent) === name
  );
  expect(found, name).toBeDefined();
  found?.click();
}

/** Type into a field as a person does; React listens to the setter. */
function type(widget: Widget, label: string, text: string): void {
  const field = widget.node.querySelector<HTMLInputElement>(
    `input[aria-label="${label}"]`
  );
  const setter = Object.getOwnPropertyDescriptor(
    HTMLInputElement.prototype,
    'value'
  )?.set;
  setter?.call(field, text);
  field?.dispatchEvent(new Event('input', { bubbles: true }));
}

describe('ModelsSection', () => {
  const make = () =>
    new ModelsSection({ api, view, translator: nullTranslator, onOpen });

  it('says each state, and follows the notebook in view', async () => {
    const section = make();
    await show(section, 'No model is registered yet');
    expect(section.node.textContent).toContain('register_model');

    api.models = makeModelsPage([
      {
        name: evil,
        version_count: 3,
        newest: makeVersion({ version: 3, user: evil }),
        aliases: { champion: 2, [evil]: 3 }
      }
    ]);
    view.notebookChanged.emit();
    await show(section, 'champion v2');
    expect(section.node.textContent).toContain(
      '3 versions · LogisticRegression'
    );
    expect(section.node.querySelector('img')).toBeNull();
    section.node.querySelector<HTMLElement>('.jp-MLOpsRun-summary')?.click();
    expect(onOpen).toHaveBeenCalledWith(evil, 'a.ipynb');

    api.failure = new RequestError('server', 'disk is gone', 'mount it');
    view.notebookChanged.emit();
    await show(section, 'mount it');
    api.failure = null;
    press(section, 'Try again');
    await show(section, 'champion v2');

    view.notebook = null;
    view.notebookChanged.emit();
    await show(section, 'No notebook is open');
    section.dispose();
    expect(section.isDisposed).toBe(true);
  });

  it('asks nothing while it is folded or no notebook is open', async () => {
    const asked = vi.spyOn(api, 'listModels');
    const section = make();
    section.hide();
    Widget.attach(section, document.body);
    await new Promise(resolve => setTimeout(resolve, 30));
    view.notebook = null;
    section.show();
    view.notebookChanged.emit();
    await new Promise(resolve => setTimeout(resolve, 30));
    expect(asked).not.toHaveBeenCalled();
    view.notebook = 'b.ipynb';
    view.notebookChanged.emit();
    await vi.waitFor(() => expect(asked).toHaveBeenCalledWith('b.ipynb', 0));
    section.dispose();
  });

  it('drops an answer about a notebook that is no longer in view', async () => {
    let answer: () => void = () => {};
    vi.spyOn(api, 'listModels').mockImplementationOnce(() =>
      new Promise<void>(resolve => {
        answer = resolve;
      }).then(() =>
        makeModelsPage([
          { name: 'late', version_count: 1, newest: makeVersion(), aliases: {} }
        ])
      )
    );
    const section = make();
    Widget.attach(section, document.body);
    await new Promise(resolve => setTimeout(resolve, 20));
    view.notebook = 'b.ipynb';
    view.notebookChanged.emit();
    answer();
    await show(section, 'No model is registered yet');
    expect(section.node.textContent).not.toContain('late');
    section.dispose();
  });

  it('turns pages', async () => {
    const newest = makeVersion({ is_damaged: true, metrics: {} });
    api.models = makeModelsPage(
      [{ name: 'm', version_count: 1, newest, aliases: {} }],
      { limit: 1, has_more: true }
    );
    const section = make();
    await show(section, 'cannot be read');
    press(section, 'Next');
    await show(section, 'Models 2 to 2');
    section.dispose();
  });
});

const field = (name: string, changes: Partial<IModelField> = {}) => ({
  name,
  dtype: 'float64',
  minimum: 0,
  maximum: 1,
  categories: null,
  nullable: false,
  ...changes
});

const moved: IModelChange = {
  event: 'alias.set',
  at: '2026-11-21T09:58:00.000+00:00',
  user: 'ada',
  alias: 'champion',
  version: 1,
  before: 2,
  reason: evil
};

describe('ModelPage', () => {
  const make = () =>
    new ModelPage({
      api,
      place: { model: 'iris', notebook: 'a.ipynb' },
      translator: nullTranslator,
      onOpenRun: onOpen,
      onCompareRuns: onOpen
    });

  beforeEach(() => {
    const inputs = [field('age'), field(evil, { categories: ['a', evil] })];
    api.versions = [
      makeVersion({
        version: 2,
        run_id: 'run-two',
        metrics: { accuracy: 0.95 },
        signature: { inputs, outputs: [field('y')], named: true },
        input_count: 700
      }),
      makeVersion({ version: 1, run_id: 'run-one', aliases: ['champion'] })
    ];
    api.modelDetails = makeModel(api.versions, {
      aliases: { champion: 1 },
      changes: [moved, { ...moved, version: 2, before: null, reason: '' }],
      change_count: 203
    });
  });

  it('shows the newest version beside the champion, as text', async () => {
    const page = make();
    await show(page, '+0.05');
    const text = page.node.textContent ?? '';
    for (const part of [
      'champion v1',
      'Input age',
      '698 more are not listed here.',
      'champion moved from version 2 to 1',
      'champion names version 2',
      evil,
      '201 older changes are not shown',
      'The alias names version 1 now.'
    ]) {
      expect(text.includes(part), part).toBe(true);
    }
    expect(page.node.querySelector('img')).toBeNull();
    press(page, 'Compare their runs');
    expect(onOpen).toHaveBeenCalledTimes(1);
    press(page, 'Show version 1');
    await show(page, 'registered without a signature');
    expect(page.node.textContent).toContain('already');
    page.dispose();
  });

  it('promotes and rolls back with a reason, and says what was refused', async () => {
    const page = make();
    await show(page, 'Promote version 2');
    type(page, 'Reason', ' better ');
    api.modelDetails = { ...api.modelDetails, aliases: { champion: 2 } };
    press(page, 'Promote');
    await show(page, 'champion now names version 2.');
    expect(api.done).toEqual(['iris@champion = 2: better']);

    press(page, 'Roll back to version 2');
    await show(page, 'Cancel');
    api.failure = new RequestError('input', 'the chain is broken', 'check it');
    press(page, 'Roll back');
    await show(page, 'Not changed. the chain is broken check it');
    expect(api.done).toHaveLength(1);
    page.dispose();
  });

  it('says that a version cannot be read, and shows the others', async () => {
    api.versions = api.versions.slice(1);
    const page = make();
    await show(page, 'no version 2');
    press(page, 'Show version 1');
    await show(page, 'registered without a signature');
    page.dispose();
  });
});

describe('chooseOther', () => {
  it.each([
    [3, { champion: 1 }, [1, 2, 3], 1],
    [1, { champion: 1, old: 2 }, [1, 2], 2],
    [3, { champion: 3 }, [1, 2, 3], 2],
    [1, {}, [1, 2], null],
    [1, { champion: 1 }, [1], null]
  ])('measures version %i by %o', (shown, aliases, versions, other) => {
    expect(
      chooseOther(shown, aliases as Record<string, number>, versions)
    ).toBe(other);
  });
});

describe('compareVersions', () => {
  it('lists only what differs, numbers with their change', () => {
    const one = makeVersion({
      version: 2,
      metrics: { acc: 0.5, loss: 'NaN', same: 1 },
      datasets: ['f'.repeat(64)]
    });
    const other = makeVersion({ metrics: { acc: 0.75, same: 1 } });
    expect(compareVersions(one, other, 'en', trans)).toEqual([
      { key: 'acc', one: '0.5', other: '0.75', change: '-0.25' },
      { key: 'loss', one: 'NaN', other: '–', change: '' },
      { key: 'Data', one: 'ffffffffffff', other: '–', change: '' }
    ]);
    expect(compareVersions(one, one, 'en', trans)).toEqual([]);
  });
});
