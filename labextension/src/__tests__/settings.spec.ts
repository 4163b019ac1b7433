import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { AccordionPanel } from '@lumino/widgets';
import { Widget } from '@lumino/widgets';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { RunChanges } from '../changes';
import { MLOpsModel } from '../model';
import { MLOpsPanel } from '../panel';
import { SECTION_IDS, SECTION_NAMES } from '../sectionnames';
import { PanelSettings } from '../settings';
import { FakeApi, FakeBridge, FakeCells } from './fixtures';

/** A registry with one plugin's settings. */
class FakeRegistry {
  composite: Record<string, unknown> = {};
  readonly changed = new Signal<this, void>(this);

  load() {
    return Promise.resolve(this as unknown as ISettingRegistry.ISettings);
  }

  set(name: string, value: unknown) {
    this.composite = { ...this.composite, [name]: value };
    this.changed.emit();
    return Promise.resolve();
  }
}

async function follow(registry: FakeRegistry): Promise<PanelSettings> {
  const settings = new PanelSettings();
  await settings.follow(registry as unknown as ISettingRegistry, 'id');
  return settings;
}

describe('PanelSettings', () => {
  it('has defaults before the registry has answered', () => {
    const settings = new PanelSettings();
    expect(settings.showSteps).toBe(true);
    expect(settings.refreshWhileHidden).toBe(false);
    expect(SECTION_NAMES.every(name => settings.hasSection(name))).toBe(true);
  });

  it('keeps the defaults where the file cannot be read', async () => {
    const settings = new PanelSettings();
    const load = () => Promise.reject(new Error('line 3'));
    await settings.follow({ load } as unknown as ISettingRegistry, 'id');
    expect(settings.showSteps).toBe(true);
  });

  it('keeps a choice once, and tells what others choose', async () => {
    const registry = new FakeRegistry();
    const settings = await follow(registry);
    const told = vi.fn();
    settings.changed.connect(told);
    await settings.keepShowSteps(true);
    expect(told).not.toHaveBeenCalled();
    await settings.keepShowSteps(false);
    expect(registry.composite['showSteps']).toBe(false);
    expect(told).toHaveBeenCalledOnce();
  });
});

describe('MLOpsPanel with settings', () => {
  beforeEach(() => {
    // Widgets render when Lumino says, not inside act().
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  });

  it('gives sections their place or none, and shows them by name', async () => {
    const registry = new FakeRegistry();
    registry.composite = { sections: { models: false } };
    const settings = await follow(registry);
    const api = new FakeApi();
    const model = new MLOpsModel({ api });
    const bridge = new FakeBridge();
    const panel = new MLOpsPanel({
      api,
      bridge,
      cells: new FakeCells(),
      model,
      changes: new RunChanges({
        api,
        getNotebook: () => model.notebook,
        onChanged: () => model.refresh()
      }),
      opener: {
        openRun: vi.fn(),
        compareRuns: vi.fn(),
        openModel: vi.fn(),
        openFile: vi.fn(),
        openRunById: vi.fn()
      },
      translator: nullTranslator,
      settings
    });
    const ids = () => panel.widgets.map(({ id }) => id);
    const all = SECTION_NAMES.map(name => SECTION_IDS[name]);
    const without = (name: keyof typeof SECTION_IDS) =>
      all.filter(id => id !== SECTION_IDS[name]);
    model.setNotebook('a.ipynb');
    Widget.attach(panel, document.body);
    await panel.showSection('pipeline');
    expect(ids()).toEqual(without('models'));
    const stack = panel.content as AccordionPanel;
    const place = ids().indexOf(SECTION_IDS.pipeline);
    expect(stack.widgets[place]?.isVisible).toBe(true);
    expect(document.activeElement).toBe(stack.titles[place]);
    await panel.runPipeline({ mode: 'verify' });
    await vi.waitFor(() => expect(api.done).toEqual(['run {"mode":"verify"}']));
    // What was left out is no error, and changes nothing.
    await panel.showSection('models');
    expect(document.activeElement).toBe(stack.titles[place]);

    expect(model.visible).toBe(true);
    await registry.set('sections', { runs: false });
    expect(ids()).toEqual(without('runs'));
    expect(model.visible).toBe(false);
    await registry.set('sections', {});
    expect(ids()).toEqual(all);
    expect(model.visible).toBe(true);

    panel.hide();
    expect(model.visible).toBe(false);
    await registry.set('refreshWhileHidden', true);
    expect(model.visible).toBe(true);
    panel.dispose();
    model.dispose();
  });
});
