import type { JupyterFrontEnd } from '@jupyterlab/application';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { MessageLoop } from '@lumino/messaging';
import type { AccordionPanel } from '@lumino/widgets';
import { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import manifest from '../../package.json';
import { RunChanges } from '../changes';
import { addCommands, CommandIDs } from '../commands';
import { MLOpsModel } from '../model';
import { MLOpsPanel } from '../panel';
import { RequestError } from '../request';
import { RunsSection } from '../sections/runs';
import { VERSION } from '../tokens';
import {
  FakeApi,
  FakeBridge,
  FakeCells,
  makePage,
  makeRun,
  trans
} from './fixtures';

/** How many sections the panel has. */
const SECTIONS = 5;

let api: FakeApi;
let model: MLOpsModel;
let changes: RunChanges;
let options: Omit<MLOpsPanel.IOptions, 'model'>;

beforeEach(() => {
  // Widgets render when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  api = new FakeApi();
  model = new MLOpsModel({ api });
  changes = new RunChanges({
    api,
    getNotebook: () => model.notebook,
    onChanged: () => model.refresh()
  });
  options = {
    api,
    translator: nullTranslator,
    changes,
    bridge: new FakeBridge(),
    cells: new FakeCells(),
    opener: {
      openRun: vi.fn(),
      compareRuns: vi.fn(),
      openModel: vi.fn(),
      openFile: vi.fn(),
      openRunById: vi.fn()
    }
  };
});

afterEach(() => {
  changes.dispose();
  model.dispose();
});

/** Let requests, widgets and React come to rest. */
async function settle(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 20));
  MessageLoop.flush();
  await new Promise(resolve => setTimeout(resolve, 20));
}

describe('RunsSection', () => {
  it('shows each state of the model', async () => {
    const cells = new FakeCells();
    const section = new RunsSection({ model, ...options, cells });
    Widget.attach(section, document.body);
    const read = async () => {
      await settle();
      return section.node.textContent ?? '';
    };
    expect(await read()).toContain('No notebook is open');

    let answer: () => void = () => {};
    vi.spyOn(api, 'listRuns').mockImplementationOnce(() =>
      new Promise<void>(resolve => {
        answer = resolve;
      }).then(() => makePage([]))
    );
    model.visible = true;
    model.setNotebook('folder/book.ipynb');
    expect(await read()).toBe('book.ipynb');
    expect(section.node.querySelector('[role=status]')).not.toBeNull();
    answer();
    expect(await read()).toContain('This notebook has no runs yet');
    cells.language = 'r';
    section.update();
    expect(await read()).not.toContain('%load_ext');
    cells.language = 'python';

    api.page = makePage([makeRun({ status: 'running' })]);
    await model.refresh();
    const running = await read();
    expect(running).toContain('Live');
    expect(running).toContain('baseline');

    api.failure = new RequestError('network');
    await model.refresh();
    const broken = await read();
    expect(broken).toContain('does not answer');
    expect(broken).toContain('baseline');

    api.failure = null;
    api.version = '7.0.0';
    section.node
      .querySelector<HTMLButtonElement>('[role=alert] button')
      ?.click();
    expect(await read()).toContain('The server runs mlops_nb 7.0.0');
    section.dispose();
  });
});

describe('RunsSection with runs', () => {
  it('chooses, compares, deletes and undoes', async () => {
    const one = makeRun({ run_id: '1', name: 'one' });
    const two = makeRun({ run_id: '2', name: 'two' });
    api.page = makePage([one, two]);
    const section = new RunsSection({ model, ...options });
    Widget.attach(section, document.body);
    model.visible = true;
    model.setNotebook('a.ipynb');
    await settle();
    const press = async (name: string) => {
      const found = [...section.node.querySelectorAll('button')].find(
        button => button.textContent === name
      );
      expect(found, name).toBeDefined();
      found?.click();
      await settle();
    };
    for (const box of section.node.querySelectorAll<HTMLInputElement>(
      '.jp-MLOpsRun-choice'
    )) {
      box.click();
      await settle();
    }
    expect(section.node.textContent).toContain('2 runs chosen');
    await press('Compare');
    expect(options.opener.compareRuns).toHaveBeenCalledWith(
      [one, two],
      'a.ipynb'
    );
    await press('Delete');
    expect(api.done).toEqual(['delete 1', 'delete 2']);
    expect(section.node.textContent).toContain('Deleted 2 runs');
    await press('Undo');
    expect(api.done.slice(2)).toEqual(['restore 1', 'restore 2']);
    expect(section.node.textContent).not.toContain('Deleted');
    section.dispose();
  });

  it('says that nothing fits a filter, and shows all again', async () => {
    const section = new RunsSection({ model, ...options });
    Widget.attach(section, document.body);
    model.visible = true;
    model.setNotebook('a.ipynb');
    model.setQuery({ filter: 'metrics.a > 1' });
    await settle();
    expect(section.node.textContent).toContain('No run fits this filter');
    [...section.node.querySelectorAll('button')]
      .find(button => button.textContent === 'Show all runs')
      ?.click();
    await settle();
    expect(section.node.textContent).toContain('has no runs yet');
    section.dispose();
  });
});

describe('MLOpsPanel', () => {
  it('tells the model when somebody looks, wherever it is moved', async () => {
    const panel = new MLOpsPanel({ model, ...options });
    panel.hide();
    Widget.attach(panel, document.body);
    expect(model.visible).toBe(false);
    expect(panel.widgets).toHaveLength(0);
    panel.show();
    expect(model.visible).toBe(true);
    await vi.waitFor(() => expect(panel.widgets).toHaveLength(SECTIONS));
    panel.hide();
    expect(model.visible).toBe(false);
    panel.show();
    Widget.detach(panel);
    expect(model.visible).toBe(false);
    Widget.attach(panel, document.body);
    expect(model.visible).toBe(true);
    expect(panel.widgets).toHaveLength(SECTIONS);
    expect(panel.node.getAttribute('role')).toBe('region');
    panel.dispose();
  });
});

describe('sections of MLOpsPanel', () => {
  it('ask for nothing while they are folded, and stay as they were', async () => {
    const kept: string[][] = [];
    const panel = new MLOpsPanel({
      model,
      ...options,
      folds: {
        read: () => Promise.resolve(['jp-mlops-models']),
        write: unfolded => kept.push([...unfolded])
      }
    });
    model.setNotebook('a.ipynb');
    Widget.attach(panel, document.body);
    await vi.waitFor(() => expect(panel.widgets).toHaveLength(SECTIONS));
    expect(panel.widgets.map(widget => widget.isHidden)).toEqual([
      true,
      true,
      true,
      false,
      true
    ]);
    await settle();
    const before = api.asked.length;
    expect(model.visible).toBe(false);
    await model.refresh();
    expect(api.asked).toHaveLength(before);
    const stack = panel.content as AccordionPanel;
    stack.expand(1);
    expect(model.visible).toBe(true);
    await vi.waitFor(() => expect(api.asked.length).toBeGreaterThan(before));
    stack.collapse(3);
    expect(kept).toEqual([
      ['jp-mlops-runs', 'jp-mlops-models'],
      ['jp-mlops-runs']
    ]);
    panel.hide();
    expect(model.visible).toBe(false);
    panel.show();
    expect(model.visible).toBe(true);
    panel.dispose();
  });
});

describe('addCommands', () => {
  it('opens the panel, and refreshes only while somebody looks', async () => {
    const commands = new CommandRegistry();
    const onOpenPanel = vi.fn();
    const app = { commands } as unknown as JupyterFrontEnd;
    const onOpenDocument = vi.fn(() => Promise.resolve());
    const steps = { isOn: true };
    const ids = addCommands({
      app,
      model,
      onOpenPanel,
      trans,
      steps,
      onOpenDocument
    });
    // What needs arguments is of no use in the palette.
    expect(commands.listCommands()).toEqual([...ids, CommandIDs.openDocument]);
    const args = { runIds: ['a'], names: ['b'], notebook: 'c' };
    await commands.execute(CommandIDs.openDocument, args);
    expect(onOpenDocument).toHaveBeenCalledWith(args);
    await commands.execute(CommandIDs.toggleSteps);
    expect(steps.isOn).toBe(false);
    expect(commands.isToggled(CommandIDs.toggleSteps)).toBe(false);
    await commands.execute(CommandIDs.openPanel);
    expect(onOpenPanel).toHaveBeenCalledOnce();
    expect(commands.isEnabled(CommandIDs.refreshRuns)).toBe(false);
    model.visible = true;
    model.setNotebook('a.ipynb');
    expect(commands.isEnabled(CommandIDs.refreshRuns)).toBe(true);
    await settle();
    const before = api.asked.length;
    await commands.execute(CommandIDs.refreshRuns);
    await settle();
    expect(api.asked.length).toBe(before + 1);
  });
});

describe('VERSION', () => {
  it('is that of the package', () => {
    expect(VERSION).toBe(manifest.version);
  });
});
