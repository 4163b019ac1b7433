import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { ProjectPage } from '../sections/project';
import { FakeApi, makeModelsPage, makePage, makeRun } from './fixtures';

beforeEach(() => {
  // Widgets render when Lumino says, not inside act().
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
});

describe('ProjectPage', () => {
  it('lists the runs of all notebooks without one, and asks only while seen', async () => {
    const api = new FakeApi();
    api.page = makePage([makeRun({ name: '<b>bold</b>' })]);
    api.models = makeModelsPage([]);
    const opener = {
      openRun: vi.fn(),
      compareRuns: vi.fn(),
      openModel: vi.fn()
    };
    const page = new ProjectPage({ api, opener, translator: nullTranslator });
    expect(api.asked).toEqual([]);
    Widget.attach(page, document.body);
    const read = () => {
      MessageLoop.flush();
      return page.node.textContent;
    };
    await vi.waitFor(() => expect(read()).toContain('<b>bold</b>'));
    expect(page.node.querySelector('b')).toBeNull();
    expect(api.asked[0]).toMatchObject({ notebook: '', scope: 'store' });
    expect(read()).toContain('All notebooks');
    expect(read()).not.toContain('This notebook');
    await vi.waitFor(() => expect(read()).toContain('No model is registered'));
    page.node.querySelector<HTMLElement>('.jp-MLOpsRun-summary')?.click();
    await vi.waitFor(() => expect(read()).toContain('Open'));
    [...page.node.querySelectorAll('button')]
      .find(button => button.textContent === 'Open')
      ?.click();
    expect(opener.openRun).toHaveBeenCalledOnce();
    page.hide();
    const before = api.asked.length;
    await new Promise(resolve => setTimeout(resolve, 1200));
    expect(api.asked).toHaveLength(before);
    page.dispose();
  });

  it('says what to do where nothing was recorded', async () => {
    const api = new FakeApi();
    const opener = { openRun() {}, compareRuns() {}, openModel() {} };
    const page = new ProjectPage({ api, opener, translator: nullTranslator });
    Widget.attach(page, document.body);
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(page.node.textContent).toContain('This project has no runs yet');
    });
    page.dispose();
  });
});
