import type { INotebookTracker } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { describe, expect, it, vi } from 'vitest';

import { StepBadges } from '../badges';
import { findParts } from '../steps';

const makeCell = (tags: readonly string[], source = 'x', isCode = true) => ({
  tags,
  source,
  isCode
});

describe('findParts', () => {
  const read = (...cells: ReturnType<typeof makeCell>[]) =>
    findParts(cells).map(({ step, isNamed }) =>
      step === null ? '' : isNamed ? `${step}!` : step
    );

  it('gives each cell the step above it', () => {
    expect(
      read(
        makeCell(['imports']),
        makeCell(['mine', 'step:load']),
        makeCell([]),
        makeCell([], '# Title', false),
        makeCell(['block:train']),
        makeCell(['skip']),
        makeCell([]),
        makeCell(['step:load'])
      )
    ).toEqual(['', 'load!', 'load', '', 'train!', '', 'train', 'load!']);
  });

  it('reads comments at the top of a cell only', () => {
    expect(
      read(
        makeCell([], '# Load\n#| step: load\nx = 1'),
        makeCell([], 'x = 1\n#| step: other'),
        makeCell(['step:<b>'])
      )
    ).toEqual(['load!', 'load', 'load']);
  });

  it('numbers steps by where they first stand', () => {
    const parts = findParts([
      makeCell(['step:a']),
      makeCell(['step:b']),
      makeCell(['step:a'])
    ]);
    expect(parts.map(part => part.place)).toEqual([0, 1, 0]);
  });
});

/** As much of a cell's widget as badges see. */
class FakeCell {
  constructor(private readonly _tags: unknown) {}

  readonly node = document.createElement('div');
  readonly model = {
    type: 'code',
    getMetadata: () => this._tags,
    metadataChanged: new Signal<object, void>({}),
    sharedModel: { getSource: () => 'x' }
  };
}

class FakePanel {
  constructor(readonly widgets: FakeCell[]) {
    this.content = {
      widgets,
      modelContentChanged: new Signal<object, void>({})
    };
  }

  readonly content;
  readonly context = { ready: Promise.resolve() };
  readonly isDisposed = false;
  readonly disposed = new Signal<this, void>(this);
}

describe('StepBadges', () => {
  it('marks cells, follows changes, and takes its marks back', async () => {
    const cells = [new FakeCell(['step:load']), new FakeCell('no list')];
    const panel = new FakePanel(cells);
    const tracker = {
      forEach: (look: (each: FakePanel) => void) => look(panel),
      widgetAdded: new Signal<object, FakePanel>({})
    };
    const badges = new StepBadges(tracker as unknown as INotebookTracker);
    const read = () =>
      panel.widgets.map(({ node }) => [
        node.getAttribute('data-mlops-step'),
        node.getAttribute('data-mlops-colour')
      ]);
    await vi.waitFor(() =>
      expect(read()).toEqual([
        ['load', '0'],
        [null, '0']
      ])
    );
    panel.widgets.push(new FakeCell(['step:train']));
    panel.content.modelContentChanged.emit();
    await vi.waitFor(() => expect(read()[2]).toEqual(['train', '1']));
    badges.isOn = false;
    expect(read().flat().filter(Boolean)).toEqual([]);
    badges.isOn = true;
    expect(read()[2]).toEqual(['train', '1']);
    badges.dispose();
    expect(read().flat().filter(Boolean)).toEqual([]);
  });
});
