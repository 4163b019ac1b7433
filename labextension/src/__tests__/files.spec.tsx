import * as React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Figures, Files } from '../components/files';
import { Suggestions } from '../components/suggestions';
import { RequestError } from '../request';
import type { IArtifact, ISuggestion, ProblemKind } from '../tokens';
import {
  EVIL_NAMES,
  findButton,
  Held,
  listButtons,
  listLively,
  press,
  rest
} from './acting';
import { mount, trans } from './fixtures';

const make = (path: string, changes: Partial<IArtifact> = {}): IArtifact => ({
  path,
  digest: `d-${path}`,
  size_bytes: 10,
  media_type: 'text/plain',
  ...changes
});

const makeFigure = (path: string, size_bytes = 10) =>
  make(path, { media_type: 'image/svg+xml', size_bytes });

let held: Held<Blob>;
let urls: string[];
const blobs: Blob[] = [];

beforeEach(() => {
  held = new Held();
  urls = [];
  blobs.length = 0;
  URL.createObjectURL = vi.fn((blob: Blob) => {
    blobs.push(blob);
    urls.push(`blob:${blobs.length}`);
    return `blob:${blobs.length}`;
  });
  URL.revokeObjectURL = vi.fn((url: string) => {
    urls = urls.filter(each => each !== url);
  });
});

const show = (artifacts: readonly IArtifact[], count = artifacts.length) => {
  const props = { artifacts, count, locale: 'en', trans, onRead: held.ask };
  return mount(
    <>
      <Figures {...props} />
      <Files {...props} />
    </>
  );
};

/** Kinds of problems that come without words of their own. */
const WORDLESS: readonly (readonly [ProblemKind, string])[] = [
  ['forbidden', 'The server refused the request'],
  ['missing', 'The server part of mlops_nb is not running'],
  ['network', 'The server does not answer']
];

describe('Figures', () => {
  it('loads, shows and gives its memory back', async () => {
    const { node, update } = show([makeFigure('a.svg'), make('b.txt')]);
    expect(node.querySelector('[role=status]')?.textContent).toBe('Loading…');
    expect(node.querySelector('img')).toBeNull();
    held.open[0]?.resolve(new Blob(['<svg onload="alert(1)"/>']));
    await rest();
    const image = node.querySelector('img');
    expect(image?.getAttribute('src')).toBe('blob:1');
    expect(image?.alt).toBe('a.svg');
    // As a picture and as nothing else, whatever the bytes say.
    expect(blobs[0]?.type).toBe('image/svg+xml');
    expect(urls).toEqual(['blob:1']);
    update(<></>);
    expect(urls).toEqual([]);
  });

  it('says what failed, and tries again', async () => {
    const { node } = show([makeFigure('a.svg')]);
    held.open[0]?.reject(new RequestError('timeout'));
    await rest();
    expect(node.querySelector('[role=alert]')?.textContent).toContain(
      'takes too long'
    );
    press(node, 'Try again');
    expect(held.asked).toEqual([['a.svg'], ['a.svg']]);
    held.open[1]?.resolve(new Blob(['x']));
    await rest();
    expect(node.querySelector('[role=alert]')).toBeNull();
    expect(node.querySelector('img')).not.toBeNull();
  });

  it('asks for no more pictures than are seen, and for none that is huge', () => {
    const many = Array.from({ length: 30 }, (_, at) => makeFigure(`${at}.svg`));
    const { node } = show([makeFigure('huge.svg', 5_000_001), ...many]);
    expect(held.asked).toHaveLength(12);
    expect(held.asked.flat()).not.toContain('huge.svg');
    press(node, 'Show more figures');
    press(node, 'Show more figures');
    expect(held.asked).toHaveLength(30);
    expect(findButton(node, 'Show more figures')).toBeUndefined();
  });
});

describe('Files', () => {
  it('is not there where nothing is kept', () => {
    expect(show([]).node.textContent).toBe('');
  });

  it('gives a file to the disk under its own name, as nothing that opens', async () => {
    const { node } = show([make('out/page.html', { size_bytes: 2_500_000 })]);
    expect(node.textContent).toContain('2.5 MB');
    const saved: string[] = [];
    const click = vi
      .spyOn(HTMLAnchorElement.prototype, 'click')
      .mockImplementation(function (this: HTMLAnchorElement) {
        saved.push(`${this.download} ${this.href}`);
      });
    press(node, 'Save out/page.html');
    held.open[0]?.resolve(new Blob(['<b>x</b>'], { type: 'text/html' }));
    await rest();
    click.mockRestore();
    expect(saved).toEqual(['page.html blob:1']);
    expect(blobs[0]?.type).toBe('application/octet-stream');
    expect(blobs[0]?.size).toBe('<b>x</b>'.length);
  });

  it.each(WORDLESS)('says why nothing was saved: %s', async (kind, words) => {
    const { node } = show([make('a.bin')]);
    press(node, 'Save a.bin');
    held.open[0]?.reject(new RequestError(kind));
    await rest();
    const alert = node.querySelector('[role=alert]');
    expect(alert?.textContent?.trim()).toBe(words);
    // A second try takes back what was said.
    press(node, 'Save a.bin');
    expect(node.querySelector('[role=alert]')).toBeNull();
  });

  it('lists thousands in parts, and tells of those that are not listed', () => {
    const many = Array.from({ length: 120 }, (_, at) => make(`f${at}`));
    const { node } = show(many, 5000);
    const rows = () => node.querySelectorAll('tbody tr').length;
    expect(rows()).toBe(50);
    expect(node.textContent).toContain('4880 more are not listed here.');
    press(node, 'Show more files');
    press(node, 'Show more files');
    expect(rows()).toBe(120);
    expect(findButton(node, 'Show more files')).toBeUndefined();
  });

  it('shows names as text, whatever they are', () => {
    const { node } = show(EVIL_NAMES.map(name => make(name)));
    const names = [...node.querySelectorAll('tbody th')].map(
      each => each.textContent
    );
    expect(names).toEqual(EVIL_NAMES);
    expect(listLively(node)).toEqual([]);
  });
});

describe('Suggestions', () => {
  const held = new Held<readonly ISuggestion[]>();
  const actions = {
    onSuggest: held.ask,
    onTakeSuggestions: vi.fn(),
    onGoTo: vi.fn(),
    isBusy: false
  };
  const mountThem = (changes: object = {}) => {
    held.open.length = 0;
    return mount(
      <Suggestions
        actions={{ ...actions, ...changes }}
        isReadOnly={false}
        trans={trans}
      />
    ).node;
  };

  it.each(WORDLESS)('says why there are none: %s', async (kind, words) => {
    const node = mountThem();
    press(node, 'Propose steps');
    held.open[0]?.reject(new RequestError(kind));
    await rest();
    const alert = node.querySelector('[role=alert]');
    expect(alert?.textContent).toContain(words);
    press(node, 'Propose steps');
    held.open[1]?.resolve([]);
    await rest();
    expect(node.querySelector('[role=alert]')).toBeNull();
    expect(node.textContent).toContain('There is nothing to propose.');
    expect(listButtons(node)).toEqual([]);
  });

  it('leads to each cell, and writes all at once', async () => {
    const node = mountThem();
    press(node, 'Propose steps');
    const found = EVIL_NAMES.map((reason, cell) => ({
      cell,
      tag: `step:s${cell}`,
      reason
    }));
    held.open[0]?.resolve(found);
    await rest();
    expect(listLively(node)).toEqual([]);
    press(node, 'cell 3');
    expect(actions.onGoTo).toHaveBeenCalledWith({ index: 2, id: null });
    press(node, 'Write these tags and save');
    expect(actions.onTakeSuggestions).toHaveBeenCalledWith(found);
  });

  it('waits while a run goes on', () => {
    const node = mountThem({ isBusy: true });
    expect(findButton(node, 'Propose steps')?.disabled).toBe(true);
  });
});
