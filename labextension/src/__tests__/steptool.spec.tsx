import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import {
  findWrong,
  readOptions,
  writeOptions
} from '../components/stepoptions';
import { StepTool } from '../steptool';
import { FakeBridge } from './fakes';
import { trans } from './fixtures';

const all = [
  'mine',
  'step:train',
  'retries:2',
  'timeout:1h30m',
  'cpu:1.5',
  'gpu:1',
  'mem:4Gi',
  'cache:disabled',
  "when:model == 'rf'",
  'out:model',
  'out:score',
  'foreach',
  'raises-exception'
];

describe('options of a step', () => {
  it('are read and written as they are, and others stay', () => {
    const options = readOptions(all);
    expect(options).toMatchObject({
      retries: '2',
      when: "model == 'rf'",
      out: 'model, score',
      isForeach: true,
      mayFail: true
    });
    expect(findWrong(options)).toEqual([]);
    expect(writeOptions(all, options)).toEqual(all);
    expect(writeOptions(all, readOptions([]))).toEqual(['mine', 'step:train']);
  });

  it('leave tags of other tools alone', () => {
    const tags = ['gpu', 'cache', 'limit:cpu:2', 'image:x:1', 'timeouts:3'];
    expect(writeOptions(tags, readOptions(tags))).toEqual(tags);
  });

  it.each([
    ['retries', 'two'],
    ['retries', '101'],
    ['timeout', '10 minutes'],
    ['gpu', '0.5'],
    ['mem', '4X'],
    ['out', 'a b'],
    ['cache', 'true']
  ] as const)('tell that %s is not %o', (word, text) => {
    expect(findWrong({ ...readOptions([]), [word]: text })).toEqual([word]);
  });
});

describe('StepTool', () => {
  beforeEach(() => {
    // The widget renders when Lumino says, not inside act().
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  });

  const cell = {
    id: 'c',
    index: 1,
    isCode: true,
    firstLine: '<b>x</b> = 1',
    tags: ['step:train'],
    hasDirectives: false
  };

  /** Show the tool, and wait for its form. */
  async function show(bridge: FakeBridge): Promise<StepTool> {
    const tool = new StepTool({ bridge, trans });
    Widget.attach(tool, document.body);
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(tool.node.textContent).not.toBe('');
    });
    return tool;
  }

  /** Type into the field with a label. */
  function type(tool: StepTool, label: string, text: string): void {
    const words = [...tool.node.querySelectorAll('label')];
    const id = words.find(each => each.textContent === label)?.htmlFor ?? '';
    const field = document.getElementById(id) as HTMLInputElement;
    const set = Object.getOwnPropertyDescriptor(
      HTMLInputElement.prototype,
      'value'
    )?.set;
    set?.call(field, text);
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }

  const findButton = (tool: StepTool) =>
    tool.node.querySelector<HTMLButtonElement>('button[type=submit]');

  it('writes options into the tags of the active cell, and saves', async () => {
    const bridge = new FakeBridge();
    bridge.activeCell = cell;
    bridge.stepNames = ['load', 'train'];
    const tool = await show(bridge);
    expect(tool.node.querySelector('b')).toBeNull();
    expect(tool.node.querySelectorAll('datalist option')).toHaveLength(2);
    type(tool, 'Tried again up to', 'many');
    await vi.waitFor(() =>
      expect(tool.node.querySelector('[role=alert]')?.textContent).toBe(
        'Not readable: Tried again up to.'
      )
    );
    expect(findButton(tool)?.disabled).toBe(true);
    type(tool, 'Tried again up to', '2');
    await vi.waitFor(() => expect(findButton(tool)?.disabled).toBe(false));
    findButton(tool)?.click();
    await vi.waitFor(() =>
      expect(bridge.done).toEqual(['tags step:train,retries:2', 'save'])
    );
    tool.dispose();
  });

  it('takes back that nothing was saved once the notebook is saved', async () => {
    const bridge = new FakeBridge();
    bridge.activeCell = cell;
    const tool = await show(bridge);
    const { save } = bridge;
    bridge.save = () => Promise.reject(new Error('disk is full'));
    type(tool, 'Longest time', '10m');
    await vi.waitFor(() => expect(findButton(tool)?.disabled).toBe(false));
    findButton(tool)?.click();
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(tool.node.textContent).toContain('disk is full');
    });
    await save.call(bridge); // as Ctrl S does
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(tool.node.textContent).not.toContain('disk is full');
    });
    tool.dispose();
  });

  it('follows the active cell, and says why nothing was saved', async () => {
    const bridge = new FakeBridge();
    const tool = await show(bridge);
    expect(tool.node.textContent).toContain('No cell is active');
    bridge.activeCell = cell;
    bridge.changed.emit();
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(tool.node.textContent).toContain('Active cell 2');
    });
    bridge.save = () => Promise.reject(new Error('disk is full'));
    type(tool, 'Longest time', '10m');
    await vi.waitFor(() => expect(findButton(tool)?.disabled).toBe(false));
    findButton(tool)?.click();
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(tool.node.textContent).toContain('disk is full');
    });
    // Of another cell nothing of it is true.
    bridge.activeCell = { ...cell, id: 'other' };
    bridge.changed.emit();
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(tool.node.textContent).not.toContain('disk is full');
    });
    bridge.isReadOnly = true;
    bridge.changed.emit();
    await vi.waitFor(() => {
      MessageLoop.flush();
      expect(tool.node.textContent).toContain('cannot be written');
    });
    tool.dispose();
  });
});
