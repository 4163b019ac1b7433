import type { INotebookTracker } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { describe, expect, it } from 'vitest';

import { NotebookFollower } from '../follower';
import { MLOpsModel } from '../model';
import { FakeApi } from './fixtures';

/** As much of a document's context as the follower sees. */
class FakeContext {
  constructor(public localPath: string) {}

  readonly pathChanged = new Signal<this, string>(this);

  rename(path: string): void {
    this.localPath = path;
    this.pathChanged.emit(path);
  }
}

/** As much of a notebook's panel as the follower sees. */
class FakePanel {
  constructor(path: string, status: string | null = 'idle') {
    this.context = new FakeContext(path);
    this.sessionContext = {
      session: status === null ? null : { kernel: { status } },
      statusChanged: new Signal<this, string>(this)
    };
  }

  readonly isDisposed = false;
  readonly context;
  readonly sessionContext;
}

class FakeTracker {
  currentWidget: FakePanel | null = null;
  readonly currentChanged = new Signal<this, FakePanel | null>(this);

  show(panel: FakePanel | null): void {
    this.currentWidget = panel;
    this.currentChanged.emit(panel);
  }
}

function follow() {
  const tracker = new FakeTracker();
  const model = new MLOpsModel({ api: new FakeApi() });
  const follower = new NotebookFollower({
    model,
    tracker: tracker as unknown as INotebookTracker
  });
  return { tracker, model, follower };
}

describe('NotebookFollower', () => {
  it('shows the notebook in view, or none', () => {
    const { tracker, model } = follow();
    expect(model.notebook).toBeNull();
    tracker.show(new FakePanel('a.ipynb', 'busy'));
    expect(model.notebook).toBe('a.ipynb');
    expect(model.busy).toBe(true);
    tracker.show(new FakePanel('b.ipynb', null));
    expect(model.notebook).toBe('b.ipynb');
    expect(model.busy).toBe(false);
    tracker.show(null);
    expect(model.notebook).toBeNull();
  });

  it('listens to the kernel of the notebook in view only', () => {
    const { tracker, model } = follow();
    const [one, two] = [new FakePanel('a.ipynb'), new FakePanel('b.ipynb')];
    tracker.show(one);
    one.sessionContext.statusChanged.emit('busy');
    expect(model.busy).toBe(true);
    tracker.show(two);
    expect(model.busy).toBe(false);
    one.sessionContext.statusChanged.emit('busy');
    expect(model.busy).toBe(false);
    two.sessionContext.statusChanged.emit('restarting');
    expect(model.busy).toBe(false);
  });

  it('follows a notebook that is renamed', () => {
    const { tracker, model } = follow();
    const panel = new FakePanel('a.ipynb');
    tracker.show(panel);
    panel.context.rename('b.ipynb');
    expect(model.notebook).toBe('b.ipynb');
  });

  it('stops when it is disposed', () => {
    const { tracker, model, follower } = follow();
    follower.dispose();
    follower.dispose();
    tracker.show(new FakePanel('a.ipynb'));
    expect(follower.isDisposed).toBe(true);
    expect(model.notebook).toBeNull();
  });
});
