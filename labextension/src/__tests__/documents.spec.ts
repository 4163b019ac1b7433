import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { MainAreaWidget } from '@jupyterlab/apputils';
import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Panel, TabPanel, Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { DocumentArgs } from '../documents';
import { Documents } from '../documents';
import { EVIL_NAMES, findButton, listLively } from './acting';
import { FakeApi, makeDetails, makeModel, makeRun } from './fixtures';

/** How JupyterLab brings widgets back. */
interface IRestored {
  readonly command: string;
  readonly args: (widget: Widget) => unknown;
  readonly name: (widget: Widget) => string;
}

/** A shell that remembers what was put where. */
class FakeShell {
  readonly added: { widget: MainAreaWidget; area: string }[] = [];
  readonly activated: string[] = [];

  add(widget: MainAreaWidget, area: string) {
    this.added.push({ widget, area });
    Widget.attach(widget, document.body);
  }

  activateById(id: string) {
    this.activated.push(id);
  }
}

const place = { names: ['one'], notebook: 'book/a.ipynb' };
const oneRun: DocumentArgs = { ...place, runIds: ['r1'] };
const missing = Object.assign(new Error('no file'), {
  response: { status: 404 }
});
let api: FakeApi;
let shell: FakeShell;
let executed: unknown[];
let contents: { get: ReturnType<typeof vi.fn>; save: ReturnType<typeof vi.fn> };

beforeEach(() => {
  // Widgets render when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  api = new FakeApi();
  shell = new FakeShell();
  executed = [];
  contents = {
    get: vi.fn(() => Promise.reject(missing)),
    save: vi.fn(() => Promise.resolve({}))
  };
});

afterEach(() => {
  shell.added.forEach(({ widget }) => widget.dispose());
  Notification.dismiss();
});

function makeDocuments(hasMainArea = true): Documents {
  const app = {
    shell,
    serviceManager: { contents, kernels: {} },
    commands: {
      execute: (...given: unknown[]) => {
        executed.push(given);
        return Promise.resolve();
      }
    }
  } as unknown as JupyterFrontEnd;
  return new Documents({
    app,
    api,
    translator: nullTranslator,
    hasMainArea
  });
}

/** Wait until a page says something. */
async function waitFor(words: string, place = 0): Promise<HTMLElement> {
  const node = shell.added[place]?.widget.node ?? document.body;
  await vi.waitFor(() => {
    MessageLoop.flush();
    expect((node.textContent ?? '').includes(words), words).toBe(true);
  });
  return node;
}

const titles = () =>
  shell.added.map(({ widget, area }) => `${area}: ${widget.title.label}`);

describe('Documents', () => {
  it('opens a run once, and shows it again', async () => {
    const documents = makeDocuments();
    await documents.open(oneRun);
    await waitFor('Parameters');
    await documents.open({ ...oneRun, names: ['other'] });
    expect(titles()).toEqual(['main: one']);
    const { id } = shell.added[0]?.widget ?? {};
    expect(shell.activated).toEqual([id, id]);
  });

  it('opens a run once however often it is pressed', async () => {
    const documents = makeDocuments();
    await Promise.all([
      documents.open(oneRun),
      documents.open(oneRun),
      documents.open({ ...oneRun, runIds: ['r2'] }),
      documents.open(oneRun)
    ]);
    await vi.waitFor(() => expect(shell.added).toHaveLength(2));
    const ids = shell.added.map(({ widget }) => widget.id);
    expect(new Set(ids).size).toBe(2);
  });

  it('opens a run again that was closed', async () => {
    const documents = makeDocuments();
    await documents.open(oneRun);
    shell.added[0]?.widget.dispose();
    await documents.open(oneRun);
    expect(shell.added).toHaveLength(2);
    expect(titles()[1]).toBe('main: one');
  });

  it('says why nothing opens, and opens when it is asked again', async () => {
    const documents = makeDocuments();
    const add = vi.spyOn(shell, 'add').mockImplementationOnce(() => {
      throw new Error('Loading chunk 5 failed');
    });
    await documents.open(oneRun);
    expect(
      Notification.manager.notifications.map(each => each.message)
    ).toEqual(['Run one could not be opened: Error: Loading chunk 5 failed']);
    add.mockRestore();
    await documents.open(oneRun);
    expect(titles()).toEqual(['main: one']);
  });

  it('compares runs, each of which opens', async () => {
    const runs = ['r1', 'r2'].map(run_id => makeRun({ run_id, name: run_id }));
    api.comparison = { runs, rows: [], count: 0, offset: 0 };
    const documents = makeDocuments();
    const names = ['r1', 'r2'];
    await documents.open({ ...place, runIds: names, names });
    const node = await waitFor('Comparison of 2 runs');
    expect(titles()).toEqual(['main: Compare 2 runs']);
    findButton(node, 'r2')?.click();
    await vi.waitFor(() => expect(shell.added).toHaveLength(2));
    expect(titles()[1]).toBe('main: r2');
  });

  it('shows models of one name in two stores in two pages', async () => {
    api.modelDetails = makeModel([]);
    const documents = makeDocuments();
    const iris = { runIds: [], names: [], model: 'iris' };
    await documents.open({ ...iris, notebook: 'x/a.ipynb' });
    await documents.open({ ...iris, notebook: 'x/b.ipynb' });
    await documents.open({ ...iris, notebook: 'y/a.ipynb' });
    expect(titles()).toEqual(['main: iris', 'main: iris']);
    const region = shell.added[0]?.widget.content.node;
    expect(region?.getAttribute('role')).toBe('region');
    expect(region?.getAttribute('aria-label')).toBe('Model iris');
  });

  it('tells a model from one whose name goes on as the folder begins', async () => {
    api.modelDetails = makeModel([]);
    const documents = makeDocuments();
    const shared = { runIds: [], names: [] };
    await documents.open({
      ...{ ...shared, model: 'iris', notebook: 'v2-data/a.ipynb' }
    });
    await documents.open({
      ...{ ...shared, model: 'iris-v2', notebook: 'data/a.ipynb' }
    });
    expect(titles()).toEqual(['main: iris', 'main: iris-v2']);
  });

  it('shows the project once, whatever else it is called with', async () => {
    const documents = makeDocuments();
    const nothing = { runIds: [], names: [], notebook: '', project: true };
    await documents.open(nothing);
    await documents.open({ ...nothing, notebook: 'a.ipynb' });
    expect(titles()).toEqual(['main: All runs and models']);
  });

  it('takes names of any length and kind as text', async () => {
    const documents = makeDocuments();
    for (const [at, name] of EVIL_NAMES.entries()) {
      api.details = makeDetails({ name });
      await documents.open({ ...place, runIds: [`e${at}`], names: [name] });
    }
    const labels = shell.added.map(({ widget }) => widget.title.label);
    labels.forEach((label, at) => {
      expect(label.length).toBeLessThanOrEqual(40);
      expect((EVIL_NAMES[at] ?? '').startsWith(label.replace(/…$/, ''))).toBe(
        true
      );
    });
    expect(listLively(document)).toEqual([]);
  });

  it('has an area below the only document of Notebook 7', async () => {
    const documents = makeDocuments(false);
    const tabs = new TabPanel();
    vi.spyOn(shell, 'add').mockImplementation((widget, area) => {
      shell.added.push({ widget, area });
      tabs.addWidget(widget);
    });
    tabs.addWidget(new Panel());
    await documents.open(oneRun);
    await documents.open({ ...oneRun, runIds: ['r2'], names: ['two'] });
    expect(titles()).toEqual(['down: one', 'down: two']);
    expect(tabs.currentWidget?.title.label).toBe('two');
    await documents.open(oneRun);
    expect(tabs.currentWidget?.title.label).toBe('one');
    tabs.dispose();
  });

  it('comes back as it was when the page is reloaded', async () => {
    const documents = makeDocuments();
    const tabs = new TabPanel();
    const kept: IRestored[] = [];
    documents.restore({
      restore: (_: unknown, how: IRestored) => Promise.resolve(kept.push(how))
    } as never);
    await documents.open(oneRun);
    const widget = shell.added[0]?.widget as Widget;
    const [how] = kept as [IRestored];
    expect(how.command).toBe('mlops:open-document');
    expect(how.args(widget)).toEqual(oneRun);
    expect(how.name(widget)).toBe(widget.id);
    // Of another's widget nothing is known, and nothing fails.
    expect(how.args(tabs)).toMatchObject({ runIds: [] });
    expect(() => documents.restore(null)).not.toThrow();
    tabs.dispose();
  });

  it('writes the code of a run into a notebook beside the other', async () => {
    api.details = makeDetails({ name: 'one', cell_count: 1 });
    const cell = { index: 0, source: 'x = 1', duration_s: 1, error: null };
    api.cells = {
      cells: [{ ...cell, status: 'ok', execution_count: 1 }],
      count: 1,
      offset: 0
    };
    await makeDocuments().open(oneRun);
    const node = await waitFor('Open code as a notebook');
    findButton(node, 'Open code as a notebook')?.click();
    const path = 'book/one as it ran.ipynb';
    await vi.waitFor(() =>
      expect(executed).toEqual([['docmanager:open', { path }]])
    );
    expect(contents.save.mock.calls[0]?.[0]).toBe(path);
  });
});
