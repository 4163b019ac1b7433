import { describe, expect, it } from 'vitest';

import {
  chooseControl,
  fillField,
  listChoices,
  locateField,
  makeRow,
  nameRange,
  nameType,
  readField,
  sortWords
} from '../components/predictwords';
import type { IModelField } from '../tokens';

const field = (changes: Partial<IModelField> = {}): IModelField => ({
  name: 'x',
  dtype: 'float64',
  minimum: null,
  maximum: null,
  categories: null,
  nullable: false,
  ...changes
});

const sign = (named: boolean, ...inputs: IModelField[]) => ({
  inputs,
  outputs: [],
  named
});

describe('a field', () => {
  it.each<[Partial<IModelField>, string, string]>([
    [{ minimum: 1, maximum: 4 }, '2.5', 'number'],
    [{ dtype: 'int64', minimum: 1, maximum: 4 }, '2', 'number'],
    [{ dtype: 'float64', minimum: 'NaN', maximum: 'Infinity' }, '0', 'number'],
    [{ dtype: 'bool' }, 'True', 'choice'],
    [{ dtype: 'category:int64', categories: ['3', '5'] }, '3', 'choice'],
    [{ dtype: 'datetime' }, '2026-01-31T12:00:00', 'text'],
    [{ dtype: 'string' }, '', 'text']
  ])('%o is filled in with %s as %s', (changes, text, kind) => {
    const made = field(changes);
    expect(fillField(made)).toBe(text);
    expect(chooseControl(made)).toBe(kind);
  });

  it.each<[Partial<IModelField>, string, unknown]>([
    [{}, '2.5', 2.5],
    [{}, ' -1e3 ', -1000],
    [{}, '1,5', '1,5'],
    [{}, '', ''],
    [{ nullable: true }, '', null],
    [{ dtype: 'int64' }, '9007199254740993', '9007199254740993'],
    [{ dtype: 'bool' }, 'False', false],
    [{ dtype: 'category:int64' }, '5', 5],
    [{ dtype: 'category:bool' }, 'True', true],
    [{ dtype: 'category' }, '5', '5'],
    [{ dtype: 'any' }, '5', 5],
    [{ dtype: 'any' }, 'five', 'five'],
    [{ dtype: 'string' }, '5', '5']
  ] as const)('%o reads %j as %j', (changes, text, value) => {
    expect(readField(field(changes), text)).toBe(value);
  });

  it('names the range that training saw', () => {
    expect(nameRange(field({ minimum: 1.5, maximum: 'Infinity' }), 'en')).toBe(
      '1.5 … ∞'
    );
    expect(nameRange(field(), 'en')).toBe('');
  });

  it('names its type, and offers no endless list', () => {
    expect(nameType(field({ dtype: 'category:int64', nullable: true }))).toBe(
      'category?'
    );
    const categories = Array.from({ length: 201 }, (_, place) => `${place}`);
    expect(listChoices(field({ dtype: 'category', categories }))).toBeNull();
  });
});

describe('a row', () => {
  const inputs = [field({ name: '__proto__' }), field({ name: 'b' })];

  it('has the form that the model takes', () => {
    expect(JSON.stringify(makeRow(sign(true, ...inputs), ['1', '2']))).toBe(
      '{"__proto__":1,"b":2}'
    );
    expect(makeRow(sign(false, ...inputs), ['1', '2'])).toEqual([1, 2]);
    expect(makeRow(sign(true, field({ dtype: 'text' })), ['hi'])).toBe('hi');
  });

  it('knows its fields where something is said about them', () => {
    expect(locateField(sign(true, ...inputs), 1)).toBe('inputs[0].b');
    expect(locateField(sign(false, ...inputs), 1)).toBe('inputs[0][1] (b)');
    expect(locateField(sign(true, field({ dtype: 'text' })), 0)).toBe(
      'inputs[0]'
    );
    const { fields, rest } = sortWords(sign(false, ...inputs), [
      'inputs[0][1] (b): expected float64',
      'inputs[0]: has 3 values'
    ]);
    expect([...fields]).toEqual([[1, 'expected float64']]);
    expect(rest).toEqual(['inputs[0]: has 3 values']);
  });
});
