import type { JupyterFrontEnd } from '@jupyterlab/application';
import { CommandRegistry } from '@lumino/commands';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import schema from '../../schema/plugin.json';
import { ActionIDs, addActions } from '../actions';
import { RunChanges } from '../changes';
import { CommandIDs } from '../commands';
import { MLOpsModel } from '../model';
import { SECTION_IDS, SECTION_NAMES } from '../sectionnames';
import { FakeApi, FakeBridge, makeRun, trans } from './fixtures';

let model: MLOpsModel;
let changes: RunChanges;
let bridge: FakeBridge;
let commands: CommandRegistry;
const panel = { showSection: vi.fn(), runPipeline: vi.fn() };
const onCompare = vi.fn();
let items: ReturnType<typeof addActions>;

beforeEach(() => {
  // The dialog renders when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  vi.clearAllMocks();
  const api = new FakeApi();
  model = new MLOpsModel({ api });
  changes = new RunChanges({
    api,
    getNotebook: () => model.notebook,
    onChanged: () => model.refresh()
  });
  bridge = new FakeBridge();
  commands = new CommandRegistry();
  const app = { commands } as unknown as JupyterFrontEnd;
  items = addActions({
    ...{ app, model, changes, bridge, panel, trans, onCompare }
  });
});

afterEach(() => {
  changes.dispose();
  model.dispose();
});

describe('addActions', () => {
  it('offers each section and each action in the palette, with words', () => {
    const labels = items.map(({ command, args }) =>
      commands.label(command, args ?? {})
    );
    expect(new Set(labels).size).toBe(items.length);
    expect(labels).toContain('Show the Pipeline');
    expect(items).toHaveLength(SECTION_NAMES.length + 4);
  });

  it('shows a section that there is, and no other', async () => {
    await commands.execute(ActionIDs.showSection, { section: 'models' });
    expect(panel.showSection).toHaveBeenCalledWith('models');
    const other = { section: 'toString' };
    expect(commands.isEnabled(ActionIDs.showSection, other)).toBe(false);
  });

  it('runs and verifies the notebook in view', async () => {
    expect(commands.isEnabled(ActionIDs.runPipeline)).toBe(false);
    model.setNotebook('a.ipynb');
    expect(commands.isEnabled(ActionIDs.runPipeline)).toBe(true);
    await commands.execute(ActionIDs.runPipeline);
    await commands.execute(ActionIDs.verifyPipeline);
    expect(panel.runPipeline.mock.calls).toEqual([
      [{ mode: 'run' }],
      [{ mode: 'verify' }]
    ]);
  });

  it('compares the chosen runs', async () => {
    const runs = ['1', '2'].map(run_id => makeRun({ run_id }));
    model.setNotebook('a.ipynb');
    runs.forEach(run => changes.toggle(run));
    expect(commands.isEnabled(ActionIDs.compareRuns)).toBe(true);
    await commands.execute(ActionIDs.compareRuns);
    expect(onCompare).toHaveBeenCalledWith(runs, 'a.ipynb');
    changes.unselect();
    expect(commands.isEnabled(ActionIDs.compareRuns)).toBe(false);
  });
});

describe('tagging the active cell', () => {
  const cell = {
    id: 'c',
    index: 3,
    isCode: true,
    firstLine: 'x = 1',
    tags: ['mine', 'step:old', 'after:load'],
    hasDirectives: false
  };

  /** Fill in the dialog that opens. */
  async function answer(name: string, button = 'Tag and save'): Promise<void> {
    const done = commands.execute(ActionIDs.tagStep);
    const find = () =>
      document.querySelector<HTMLInputElement>('.jp-Dialog input');
    await vi.waitFor(() => expect(find()).not.toBeNull());
    const field = find();
    if (field) {
      field.value = name;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    [...document.querySelectorAll<HTMLButtonElement>('.jp-Dialog button')]
      .find(each => each.textContent === button)
      ?.click();
    await done;
  }

  it.each([
    ['train', ['tags mine,step:train,after:load', 'save']],
    ['', ['tags mine', 'save']]
  ])('writes %o', async (name, done) => {
    bridge.activeCell = cell;
    await answer(name);
    expect(bridge.done).toEqual(done);
  });

  it('changes nothing where the dialog was left', async () => {
    bridge.activeCell = cell;
    await answer('train', 'Cancel');
    expect(bridge.done).toEqual([]);
  });

  it('changes no other cell that has come to its place', async () => {
    bridge.activeCell = cell;
    const answered = answer('train');
    bridge.activeCell = { ...cell, id: 'another' };
    await answered;
    expect(bridge.done).toEqual([]);
  });

  it('is off where tags say nothing or cannot be written', () => {
    const isOn = () => commands.isEnabled(ActionIDs.tagStep);
    expect(isOn()).toBe(false);
    bridge.activeCell = cell;
    expect(isOn()).toBe(true);
    bridge.activeCell = { ...cell, isCode: false };
    expect(isOn()).toBe(false);
    bridge.activeCell = { ...cell, hasDirectives: true };
    expect(isOn()).toBe(false);
    bridge.activeCell = cell;
    bridge.isReadOnly = true;
    expect(isOn()).toBe(false);
  });
});

describe('the schema', () => {
  it('names commands and sections that there are', () => {
    const known: string[] = [
      ...Object.values(CommandIDs),
      ...Object.values(ActionIDs)
    ];
    const menus = schema['jupyter.lab.menus'].main.flatMap(menu =>
      menu.items.flatMap(item => ('command' in item ? [item.command] : []))
    );
    const keys = schema['jupyter.lab.shortcuts'].map(each => each.command);
    for (const command of [...menus, ...keys]) {
      expect(known).toContain(command);
    }
    const { sections } = schema.properties;
    expect(Object.keys(sections.properties).sort()).toEqual(
      Object.keys(SECTION_IDS).sort()
    );
  });
});
