import type { JupyterFrontEnd } from '@jupyterlab/application';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import manifest from '../../package.json';
import { addCommands, CommandIDs } from '../commands';
import { MLOpsModel } from '../model';
import { MLOpsPanel } from '../panel';
import { RequestError } from '../request';
import { RunsSection } from '../sections/runs';
import { VERSION } from '../tokens';
import { FakeApi, makePage, makeRun, trans } from './fixtures';

const options = { translator: nullTranslator };
let api: FakeApi;
let model: MLOpsModel;

beforeEach(() => {
  // Widgets render when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  api = new FakeApi();
  model = new MLOpsModel({ api });
});

afterEach(() => {
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
    const section = new RunsSection({ model, ...options });
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

describe('MLOpsPanel', () => {
  it('tells the model when somebody looks, wherever it is moved', async () => {
    const panel = new MLOpsPanel({ model, ...options });
    panel.hide();
    Widget.attach(panel, document.body);
    expect(model.visible).toBe(false);
    expect(panel.widgets).toHaveLength(0);
    panel.show();
    expect(model.visible).toBe(true);
    await vi.waitFor(() => expect(panel.widgets).toHaveLength(1));
    panel.hide();
    expect(model.visible).toBe(false);
    panel.show();
    Widget.detach(panel);
    expect(model.visible).toBe(false);
    Widget.attach(panel, document.body);
    expect(model.visible).toBe(true);
    expect(panel.widgets).toHaveLength(1);
    expect(panel.node.getAttribute('role')).toBe('region');
    panel.dispose();
  });
});

describe('addCommands', () => {
  it('opens the panel, and refreshes only while somebody looks', async () => {
    const commands = new CommandRegistry();
    const activateById = vi.fn();
    const app = {
      commands,
      shell: { activateById }
    } as unknown as JupyterFrontEnd;
    const ids = addCommands({ app, model, panelId: MLOpsPanel.ID, trans });
    expect(ids).toEqual(commands.listCommands());
    await commands.execute(CommandIDs.openPanel);
    expect(activateById).toHaveBeenCalledWith('jp-mlops-panel');
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
