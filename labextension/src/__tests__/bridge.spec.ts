import type { INotebookTracker } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { NotebookBridge } from '../bridge';

/** As much of a cell as the bridge sees. */
class FakeCell {
  constructor(
    readonly id: string,
    readonly source: string,
    readonly type = 'code'
  ) {}

  readonly metadataChanged = new Signal<this, void>(this);
  readonly sharedModel = { getSource: () => this.source };
  metadata = new Map<string, unknown>();

  getMetadata(key: string): unknown {
    return this.metadata.get(key);
  }

  setMetadata(key: string, value: unknown): void {
    this.metadata.set(key, value);
    this.metadataChanged.emit();
  }

  deleteMetadata(key: string): void {
    this.metadata.delete(key);
    this.metadataChanged.emit();
  }
}

/** As much of a notebook's panel as the bridge sees. */
class FakePanel {
  constructor(
    readonly id: string,
    readonly cells: FakeCell[]
  ) {
    this.content = {
      activeCellIndex: 0,
      widgets: cells.map(model => ({ model })),
      scrollToCell: vi.fn(() => Promise.resolve())
    };
  }

  readonly isDisposed = false;
  readonly content;
  readonly context = {
    model: { dirty: true, stateChanged: new Signal<this, void>(this) },
    contentsModel: { writable: true },
    saveState: new Signal<this, string>(this),
    save: vi.fn(() => Promise.resolve())
  };
}

class FakeTracker {
  currentWidget: FakePanel | null = null;
  readonly currentChanged = new Signal<this, void>(this);
  readonly activeCellChanged = new Signal<this, void>(this);

  get activeCell() {
    const content = this.currentWidget?.content;
    return content?.widgets[content.activeCellIndex] ?? null;
  }

  show(panel: FakePanel | null): void {
    this.currentWidget = panel;
    this.currentChanged.emit();
    this.activeCellChanged.emit();
  }
}

let tracker: FakeTracker;
let bridge: NotebookBridge;
let heard: number;
const onShow = vi.fn();

beforeEach(() => {
  tracker = new FakeTracker();
  bridge = new NotebookBridge({
    tracker: tracker as unknown as INotebookTracker,
    onShow
  });
  heard = 0;
  bridge.changed.connect(() => heard++);
});

const makePanel = (id: string) =>
  new FakePanel(id, [
    new FakeCell('a', '\n  x = 1\ny = 2'),
    new FakeCell('b', '#| step: train\nfit()'),
    new FakeCell('c', '# Title', 'markdown')
  ]);

describe('NotebookBridge', () => {
  it('tells what the active cell is', () => {
    expect(bridge.activeCell).toBeNull();
    expect(bridge.isDirty).toBe(false);
    const panel = makePanel('one');
    tracker.show(panel);
    expect(bridge.activeCell).toEqual({
      id: 'a',
      index: 0,
      isCode: true,
      firstLine: '  x = 1',
      tags: [],
      hasDirectives: false
    });
    expect(bridge.isDirty).toBe(true);
    panel.content.activeCellIndex = 1;
    tracker.activeCellChanged.emit();
    expect(bridge.activeCell?.hasDirectives).toBe(true);
    panel.content.activeCellIndex = 2;
    expect(bridge.activeCell?.isCode).toBe(false);
  });

  it('sets tags, and hears when somebody else does', () => {
    const panel = makePanel('one');
    tracker.show(panel);
    const before = heard;
    bridge.setTags(['step:load']);
    expect(heard).toBeGreaterThan(before);
    expect(bridge.activeCell?.tags).toEqual(['step:load']);
    bridge.setTags([]);
    expect(panel.cells[0]?.metadata.has('tags')).toBe(false);
    bridge.addTag({ index: 1, id: null }, 'step:b');
    bridge.addTag({ index: 1, id: null }, 'step:b');
    bridge.addTag({ index: 9, id: null }, 'step:c');
    expect(panel.cells[1]?.getMetadata('tags')).toEqual(['step:b']);
    panel.cells[0]?.setMetadata('tags', ['fine', 7, null]);
    expect(bridge.activeCell?.tags).toEqual(['fine']);
    panel.cells[0]?.setMetadata('tags', 'no list');
    expect(bridge.activeCell?.tags).toEqual([]);
  });

  it('tags a cell by its id, and none where it is gone', () => {
    const panel = makePanel('one');
    tracker.show(panel);
    const [first = '', second = ''] = bridge.cellIds;
    expect(bridge.cellIds).toEqual(panel.cells.map(({ id }) => id));
    bridge.addTag({ index: 0, id: second }, 'step:b');
    bridge.addTag({ index: 0, id: 'gone' }, 'step:c');
    const tags = (id: string) =>
      panel.cells.find(cell => cell.id === id)?.getMetadata('tags');
    expect([tags(first), tags(second)]).toEqual([undefined, ['step:b']]);
  });

  it('leaves a notebook that is out of view alone', () => {
    const panel = makePanel('one');
    tracker.show(panel);
    tracker.show(makePanel('two'));
    const before = heard;
    panel.cells[0]?.setMetadata('tags', ['x']);
    panel.context.saveState.emit('completed');
    panel.context.model.stateChanged.emit();
    expect(heard).toBe(before);
  });

  it('tells of a notebook that was saved, and saves it', async () => {
    const panel = makePanel('one');
    tracker.show(panel);
    const saved = vi.fn();
    bridge.saved.connect(saved);
    panel.context.saveState.emit('started');
    expect(saved).not.toHaveBeenCalled();
    panel.context.saveState.emit('completed');
    expect(saved).toHaveBeenCalledTimes(1);
    await bridge.save();
    expect(panel.context.save).toHaveBeenCalledTimes(1);
    panel.context.contentsModel.writable = false;
    expect(bridge.isReadOnly).toBe(true);
  });

  it('finds a cell by its id where cells were put in above', () => {
    const panel = makePanel('one');
    tracker.show(panel);
    bridge.goTo({ index: 0, id: 'b' });
    expect(panel.content.activeCellIndex).toBe(1);
    expect(onShow).toHaveBeenLastCalledWith('one');
    bridge.goTo({ index: 2, id: 'gone' });
    expect(panel.content.activeCellIndex).toBe(2);
    bridge.goTo({ index: 99, id: null });
    expect(panel.content.activeCellIndex).toBe(2);
  });
});
