import { describe, expect, it, vi } from 'vitest';

import {
  makeNotebook,
  nameNotebook,
  readCells,
  writeNotebook
} from '../codebook';
import type { ICell } from '../tokens';
import { makeRun } from './fixtures';

const makeCell = (source: string): ICell => ({
  index: 0,
  source,
  duration_s: 1,
  status: 'ok',
  error: null,
  execution_count: 1
});

describe('readCells', () => {
  it('asks for page after page, and stops where nothing comes', async () => {
    const all = ['a', 'b', 'c'].map(makeCell);
    const ask = vi.fn((offset: number) =>
      Promise.resolve({
        cells: all.slice(offset, offset + 2),
        count: 4,
        offset
      })
    );
    expect((await readCells(ask)).map(cell => cell.source)).toEqual([
      ...['a', 'b', 'c']
    ]);
    expect(ask.mock.calls).toEqual([[0], [2], [3]]);
  });
});

describe('makeNotebook', () => {
  it('keeps the order and the source, and runs nothing', () => {
    const book = makeNotebook(makeRun(), [makeCell('x = 1'), makeCell('<b>')]);
    expect(book).toMatchObject({
      nbformat: 4,
      metadata: { mlops_nb: { code_of_run: '0193' } },
      cells: [
        { source: 'x = 1', outputs: [], id: 'ran-1' },
        { source: '<b>', outputs: [], id: 'ran-2' }
      ]
    });
  });

  it.each([
    ['baseline', 'baseline as it ran'],
    ['../../etc/<b>', 'etc-b as it ran'],
    ['Größe 日本', 'Größe-日本 as it ran'],
    ['...', 'run as it ran']
  ])('calls %o %o', (name, expected) => {
    expect(nameNotebook(makeRun({ name }))).toBe(expected);
  });
});

describe('writeNotebook', () => {
  const refuse = (status: number) =>
    Promise.reject(
      Object.assign(new Error('refused'), { response: { status } })
    );

  it('never writes over a file', async () => {
    const save = vi.fn(() => Promise.resolve({} as never));
    const get = (path: string) =>
      path === 'sub/a.ipynb' ? Promise.resolve({} as never) : refuse(404);
    const path = await writeNotebook({ get, save }, 'sub', 'a', { cells: [] });
    expect(path).toBe('sub/a (2).ipynb');
    expect(save).toHaveBeenCalledOnce();
  });

  it('writes nothing where it cannot be told what is there', async () => {
    const save = vi.fn();
    const get = () => refuse(500);
    await expect(writeNotebook({ get, save }, '', 'a', {})).rejects.toThrow();
    expect(save).not.toHaveBeenCalled();
  });
});
