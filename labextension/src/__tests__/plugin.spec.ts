import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { CommandRegistry } from '@lumino/commands';
import { PromiseDelegate } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import { Panel, Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import plugin from '../index';
import type { IMLOpsModel } from '../index';
import { MLOpsPanel } from '../panel';

/** Stands between the panel and the code of its sections. */
const code = vi.hoisted(() => ({ failure: null as Error | null, loads: 0 }));

vi.mock('../sectioncode', async original => {
  const real = await original<typeof import('../sectioncode')>();
  return {
    loadSections: () => {
      code.loads++;
      return code.failure ? Promise.reject(code.failure) : real.loadSections();
    }
  };
});

/** Of the package of notebooks we need tokens alone; the rest of it needs a browser. */
vi.mock('@jupyterlab/notebook', async () => {
  const { Token } = await import('@lumino/coreutils');
  return {
    INotebookTools: new Token<object>('@jupyterlab/notebook:INotebookTools'),
    INotebookTracker: new Token<object>('@jupyterlab/notebook:INotebookTracker')
  };
});

/** Notebooks that are open, of which one is in view. */
class FakeTracker {
  readonly currentChanged = new Signal<this, unknown>(this);
  readonly activeCellChanged = new Signal<this, unknown>(this);
  readonly widgetAdded = new Signal<this, unknown>(this);
  currentWidget: unknown = null;
  activeCell = null;
  forEach() {}
}

let asked: string[];
let restored: PromiseDelegate<undefined>;
let area: Panel;
let added: { widget: Widget; area: string }[];
let made: { model: IMLOpsModel; tracker: FakeTracker } | null;
const events = new Signal<object, object>({});

/** An application that has what Notebook 7 and JupyterLab both have. */
function makeApp(): JupyterFrontEnd {
  return {
    commands: new CommandRegistry(),
    restored: restored.promise,
    serviceManager: {
      events: { stream: events },
      contents: {},
      kernels: {},
      serverSettings: ServerConnection.makeSettings({
        baseUrl: 'http://localhost/',
        fetch: ((request: Request) => {
          asked.push(new URL(request.url).pathname);
          return Promise.resolve(new Response('<html>', { status: 404 }));
        }) as ServerConnection.ISettings['fetch']
      })
    },
    shell: {
      add: (widget: Widget, place: string) => {
        added.push({ widget, area: place });
        area.addWidget(widget);
      },
      activateById: (id: string) =>
        added.find(({ widget }) => widget.id === id)?.widget.show()
    }
  } as unknown as JupyterFrontEnd;
}

/** Begin the plugin with what an application offers. */
async function activate(app: JupyterFrontEnd, ...services: unknown[]) {
  const tracker = new FakeTracker();
  const given = Array.from({ length: 8 }, (_, at) => services[at] ?? null);
  const model = await plugin.activate(app, tracker, ...given);
  made = { model, tracker };
  const panel = added[0]?.widget as MLOpsPanel;
  return { model, panel, tracker };
}

beforeEach(() => {
  // Widgets render when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  asked = [];
  added = [];
  made = null;
  code.failure = null;
  code.loads = 0;
  restored = new PromiseDelegate();
  area = new Panel();
  area.hide();
});

afterEach(() => {
  made?.model.dispose();
  area.dispose();
  Notification.dismiss();
  PageConfig.setOption('mlopsProject', '');
});

describe('the plugin', () => {
  it('begins without anything that an application need not have', async () => {
    const { panel } = await activate(makeApp());
    expect(added.map(each => each.area)).toEqual(['right']);
    expect(panel.id).toBe(MLOpsPanel.ID);
    // A page that is opening waits for nothing of ours, and asks for nothing.
    expect([asked, code.loads]).toEqual([[], 0]);
  });

  it('offers in the palette only what can be done without arguments', async () => {
    const app = makeApp();
    const items: { command: string; args?: object }[] = [];
    const palette = {
      addItem: (item: { command: string; args?: object }) => items.push(item)
    } as unknown as ICommandPalette;
    await activate(app, null, palette);
    for (const { command, args } of items) {
      expect(app.commands.hasCommand(command), command).toBe(true);
      expect(app.commands.label(command, args as never)).not.toBe('');
    }
    const named = items.map(({ command }) => command);
    expect(named).not.toContain('mlops:open-document');
    expect(named.filter(each => each === 'mlops:show-section')).toHaveLength(5);
  });

  it('asks for the runs of the notebook in view, while somebody looks', async () => {
    const { model, panel, tracker } = await activate(makeApp());
    tracker.currentWidget = makeNotebook('a.ipynb');
    tracker.currentChanged.emit(null);
    expect(model.notebook).toBe('a.ipynb');
    expect(asked).toEqual([]);
    model.visible = true;
    await vi.waitFor(() => expect(asked).toContain('/mlops-nb/runs'));
    await vi.waitFor(() => expect(model.problem?.kind).toBe('missing'));
    expect(panel.isDisposed).toBe(false);
  });

  it('hears of changes of this notebook, and of no other', async () => {
    const { model, tracker } = await activate(makeApp());
    tracker.currentWidget = makeNotebook('a.ipynb');
    tracker.currentChanged.emit(null);
    const refresh = vi.spyOn(model, 'refresh');
    const tell = (notebook: string) =>
      events.emit({
        schema_id: 'urn:mlops-nb:changed',
        notebooks: [notebook],
        parts: ['runs']
      });
    tell('b.ipynb');
    expect(refresh).not.toHaveBeenCalled();
    tell('a.ipynb');
    expect(refresh).toHaveBeenCalledOnce();
  });

  it('shows all runs where it was started for nothing else', async () => {
    PageConfig.setOption('mlopsProject', 'true');
    const app = makeApp();
    await activate(app);
    const execute = vi
      .spyOn(app.commands, 'execute')
      .mockResolvedValue(undefined);
    expect(execute).not.toHaveBeenCalled();
    restored.resolve(undefined);
    await vi.waitFor(() =>
      expect(execute).toHaveBeenCalledWith('mlops:open-project')
    );
  });

  it('gives the property inspector its form once the page stands', async () => {
    const sections: { sectionName: string; tool: Widget }[] = [];
    const tools = {
      addSection: (section: { sectionName: string; tool: Widget }) =>
        sections.push(section)
    };
    const app = makeApp();
    const execute = vi.spyOn(app.commands, 'execute');
    await activate(app, ...[null, null, null, null, null, null], tools);
    expect(sections).toEqual([]);
    restored.resolve(undefined);
    await vi.waitFor(() => expect(sections[0]?.sectionName).toBe('mlops'));
    // Nothing opens by itself where a person came for notebooks.
    expect(execute).not.toHaveBeenCalled();
    sections[0]?.tool.dispose();
  });
});

describe('a panel whose code cannot be had', () => {
  /** Show or hide the area, as a person does. */
  const look = (isSeen: boolean) => {
    if (!area.isAttached) {
      Widget.attach(area, document.body);
    }
    area.setHidden(!isSeen);
  };

  it('says so, and tries again when somebody looks again', async () => {
    const { panel } = await activate(makeApp());
    code.failure = new Error('Loading chunk 7 failed');
    look(true);
    const messages = () =>
      Notification.manager.notifications.map(({ message }) => message);
    await vi.waitFor(() => expect(messages()).toHaveLength(1));
    expect(messages()[0]).toContain('Loading chunk 7 failed');
    expect(panel.widgets).toHaveLength(0);
    // By its command too, which must not fail in silence either.
    await panel.showSection('runs');
    expect(messages()).toHaveLength(2);
    look(false);
    code.failure = null;
    look(true);
    await vi.waitFor(() => expect(panel.widgets).toHaveLength(5));
    expect(code.loads).toBe(3);
    look(false);
    look(true);
    await panel.showSection('models');
    expect(code.loads).toBe(3);
  });
});

/** A notebook as far as those who follow it look. */
function makeNotebook(path: string): unknown {
  const context = {
    localPath: path,
    pathChanged: new Signal<object, string>({}),
    saveState: new Signal<object, string>({}),
    model: { stateChanged: new Signal<object, void>({}), dirty: false }
  };
  return {
    context,
    model: null,
    isDisposed: false,
    content: { widgets: [], modelContentChanged: new Signal<object, void>({}) },
    sessionContext: {
      session: null,
      statusChanged: new Signal<object, string>({}),
      kernelChanged: new Signal<object, void>({})
    }
  };
}
