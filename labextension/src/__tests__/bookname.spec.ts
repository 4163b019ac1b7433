import { describe, expect, it, vi } from 'vitest';

import { freeName, nameNotebook, writeNotebook } from '../codebook';
import { EVIL_NAMES } from './acting';
import { makeRun } from './fixtures';

/** What file systems refuse: longer names, and what is no text. */
const MOST_BYTES = 255;
const bytes = (text: string) => new TextEncoder().encode(text).length;
const nameOf = (name: string) => nameNotebook(makeRun({ name }));

describe('the name of a notebook of code', () => {
  it.each([
    ['plain letters', 'x'.repeat(250)],
    ['letters of three bytes', '日'.repeat(250)],
    ['letters of four bytes', '𝒳'.repeat(125)],
    ['letters of one and four bytes', `a${'𝒳'.repeat(124)}`],
    ['an odd letter before the limit', `${'x'.repeat(199)}𝒳`]
  ])('fits a file system: %s', (_, name) => {
    const file = `${nameOf(name)} (100).ipynb`;
    expect(bytes(file)).toBeLessThanOrEqual(MOST_BYTES);
    // Half a letter is refused where the path is written into an address.
    expect(() => encodeURIComponent(file)).not.toThrow();
    expect(file.length).toBeGreaterThan(50);
  });

  it.each(EVIL_NAMES)('leads nowhere else: %j', name => {
    const made = nameOf(name);
    expect(made).toMatch(/ as it ran$/);
    expect(made).not.toMatch(/[/\\<>:"|?*\n\u202e]/);
    expect(made.startsWith('.')).toBe(false);
  });
});

describe('freeName', () => {
  const refuse = (status?: number) =>
    Promise.reject(
      Object.assign(
        new Error('no'),
        status === undefined ? {} : { response: { status } }
      )
    );

  it('counts on until nothing has the name, below any folder', async () => {
    const taken = new Set(['a/x.py', 'a/x (2).py']);
    const get = vi.fn((path: string) =>
      taken.has(path) ? Promise.resolve({} as never) : refuse(404)
    );
    expect(await freeName({ get }, 'a', 'x', '.py')).toBe('a/x (3).py');
    expect(await freeName({ get }, '', 'x', '.py')).toBe('x.py');
    // Only whether a file is there is asked, never what is in it.
    expect(get).toHaveBeenCalledWith('x.py', { content: false });
  });

  it('gives up where a hundred names are taken', async () => {
    const get = vi.fn(() => Promise.resolve({} as never));
    await expect(freeName({ get }, '', 'x', '.py')).rejects.toThrow('x');
    expect(get).toHaveBeenCalledTimes(100);
  });

  it.each([403, 500, undefined])('writes over nothing after %s', async code => {
    const save = vi.fn();
    const contents = { get: () => refuse(code), save };
    await expect(writeNotebook(contents, 'a', 'x', {})).rejects.toThrow('no');
    expect(save).not.toHaveBeenCalled();
  });
});
