/**
 * Values of a form as rows that fit a signature, and whose field a complaint is about.
 */
import type { IModelField, IWholeModelVersion } from '../tokens';
import { formatMetric } from './format';

export type ISignature = NonNullable<IWholeModelVersion['signature']>;

/** More choices are no list that anybody looks through. */
const MOST_CHOICES = 200;

/** How a number is written in JSON; what is not, the server refuses in its own words. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

const NUMBERS = ['float', 'int', 'uint'];

/** What kind of control a field has. */
export type ControlKind = 'choice' | 'number' | 'text';

const innerType = (field: IModelField) =>
  field.dtype.replace(/^category:?/, '');

const isNumber = (dtype: string) =>
  NUMBERS.some(each => dtype.startsWith(each));

/** What can be chosen for a field; null where anything may be typed. */
export function listChoices(field: IModelField): readonly string[] | null {
  const { categories, dtype } = field;
  if (dtype === 'bool') {
    return ['True', 'False'];
  }
  return categories !== null &&
    categories.length > 0 &&
    categories.length <= MOST_CHOICES
    ? categories
    : null;
}

/** Tell which control a field gets. */
export function chooseControl(field: IModelField): ControlKind {
  if (listChoices(field) !== null) {
    return 'choice';
  }
  return isNumber(innerType(field)) ? 'number' : 'text';
}

/** Give the type of a field in one word or two. */
export function nameType(field: IModelField): string {
  const inner = field.dtype.startsWith('category')
    ? 'category'
    : innerType(field);
  return field.nullable ? `${inner}?` : inner;
}

/** Give what training saw of a number; empty where that is not known. */
export function nameRange(field: IModelField, locale: string): string {
  const { minimum, maximum } = field;
  return minimum === null || maximum === null
    ? ''
    : `${formatMetric(minimum, locale)} … ${formatMetric(maximum, locale)}`;
}

/** Give a value from the middle of what training saw. */
export function fillField(field: IModelField): string {
  const { categories, dtype } = field;
  if (categories !== null && categories.length > 0) {
    return categories[0] ?? '';
  }
  if (dtype === 'bool') {
    return 'True';
  }
  if (dtype === 'datetime') {
    return '2026-01-31T12:00:00';
  }
  if (dtype === 'string' || dtype === 'text') {
    return '';
  }
  const [low, high] = [field.minimum, field.maximum].map(limit =>
    typeof limit === 'number' ? limit : null
  );
  const middle = (low ?? 0) / 2 + (high ?? low ?? 0) / 2;
  return String(
    dtype.startsWith('float') || dtype === 'any'
      ? Number(middle.toPrecision(4))
      : Math.trunc(middle)
  );
}

/** Read what somebody typed; what does not fit goes as text, so that the model's check says so. */
export function readField(field: IModelField, text: string): unknown {
  if (text === '' && field.nullable) {
    return null;
  }
  const inner = innerType(field);
  if (inner === 'bool') {
    return text === 'True' ? true : text === 'False' ? false : text;
  }
  if (isNumber(inner) || inner === 'any') {
    const trimmed = text.trim();
    const value = Number(trimmed);
    const isExact = Number.isSafeInteger(value) || !/^-?\d+$/.test(trimmed);
    return NUMBER.test(trimmed) && isExact ? value : text;
  }
  return text;
}

const isText = ({ inputs }: ISignature) => inputs[0]?.dtype === 'text';

/** Give one row of what was typed, in the form that the model takes. */
export function makeRow(
  signature: ISignature,
  texts: readonly string[]
): unknown {
  const { inputs, named } = signature;
  const values = inputs.map((field, place) =>
    readField(field, texts[place] ?? '')
  );
  if (isText(signature)) {
    return values[0];
  }
  // Not an object literal: a column may be called __proto__.
  return named
    ? Object.fromEntries(
        inputs.map((field, place) => [field.name, values[place]])
      )
    : values;
}

/** Where the values of a field stand in a request of one row. */
export function locateField(signature: ISignature, place: number): string {
  const name = signature.inputs[place]?.name ?? '';
  if (isText(signature)) {
    return 'inputs[0]';
  }
  return signature.named
    ? `inputs[0].${name}`
    : `inputs[0][${place}] (${name})`;
}

/** Take the place off what was said about it. */
export function stripPlace(said: string, place: string): string {
  return place !== '' && said.startsWith(`${place}: `)
    ? said.slice(place.length + 2)
    : said;
}

/** What was said about one field, and what about none that is in the form. */
export interface ISortedWords {
  /** By the number of the field. */
  readonly fields: ReadonlyMap<number, string>;
  readonly rest: readonly string[];
}

/** Sort words that begin with a place by the fields that they are about. */
export function sortWords(
  signature: ISignature,
  words: readonly string[]
): ISortedWords {
  const fields = new Map<number, string>();
  const places = signature.inputs.map((_, place) =>
    locateField(signature, place)
  );
  const rest = words.filter(said => {
    const place = places.findIndex(each => said.startsWith(`${each}: `));
    if (place >= 0) {
      fields.set(place, stripPlace(said, places[place] ?? ''));
    }
    return place < 0;
  });
  return { fields, rest };
}

/** Give a value that a model answered as text. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) {
    return '–';
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
