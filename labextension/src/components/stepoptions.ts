/**
 * What the tags of a cell say about how its step runs, read and written without touching others.
 */

/** As people type it; empty where nothing is said. */
export interface IStepOptions {
  readonly retries: string;
  readonly timeout: string;
  readonly cpu: string;
  readonly gpu: string;
  readonly mem: string;
  readonly cache: string;
  readonly when: string;
  /** Names of variables, divided by commas. */
  readonly out: string;
  readonly isForeach: boolean;
  readonly mayFail: boolean;
}

/** Options that are texts, by the word before the colon of their tag. */
export const TEXT_OPTIONS = [
  'retries',
  'timeout',
  'cpu',
  'gpu',
  'mem',
  'cache',
  'when',
  'out'
] as const;

export type TextOption = (typeof TEXT_OPTIONS)[number];

const FOREACH = 'foreach';
const MAY_FAIL = 'raises-exception';

/** What the server takes; it checks again, and knows of conditions what a pattern cannot. */
const FORMS: Readonly<Record<TextOption, RegExp>> = {
  retries: /^(\d{1,2}|100)$/,
  timeout: /^((\d+(\.\d+)?[smhd])+|\d+(\.\d+)?)$/,
  cpu: /^\d+(\.\d+)?$/,
  gpu: /^\d+$/,
  mem: /^\d+(\.\d+)?\s*([kmgt]?i?)b?$/i,
  cache: /^(enabled|disabled)$/,
  when: /^[^\n]+$/,
  out: /^[^\W\d]\w*(\s*,\s*[^\W\d]\w*)*$/u
};

function readTag(tag: string): [TextOption, string] | null {
  const colon = tag.indexOf(':');
  const word = TEXT_OPTIONS.find(each => each === tag.slice(0, colon).trim());
  return word === undefined ? null : [word, tag.slice(colon + 1).trim()];
}

/**
 * Read what the tags say.
 *
 * @param tags - of one cell
 */
export function readOptions(tags: readonly string[]): IStepOptions {
  const found = (word: TextOption) =>
    tags
      .map(readTag)
      .flatMap(read => (read?.[0] === word ? [read[1]] : []))
      .join(', ');
  const texts = Object.fromEntries(
    TEXT_OPTIONS.map(word => [word, found(word)])
  ) as Record<TextOption, string>;
  return {
    ...texts,
    isForeach: tags.includes(FOREACH),
    mayFail: tags.includes(MAY_FAIL)
  };
}

/**
 * Find the options whose values have the wrong form.
 *
 * @param options - as they were typed
 */
export function findWrong(options: IStepOptions): readonly TextOption[] {
  return TEXT_OPTIONS.filter(
    word => options[word].trim() && !FORMS[word].test(options[word].trim())
  );
}

/**
 * Write how a step shall run into the tags of its cell.
 *
 * @param tags - as they are
 * @param options - what they shall say
 * @returns tags that are no options stay, in their order
 */
export function writeOptions(
  tags: readonly string[],
  options: IStepOptions
): readonly string[] {
  const others = tags.filter(
    tag => readTag(tag) === null && tag !== FOREACH && tag !== MAY_FAIL
  );
  const texts = TEXT_OPTIONS.flatMap(word => {
    const text = options[word].trim();
    const values = word === 'out' ? text.split(/\s*,\s*/) : [text];
    return values.filter(Boolean).map(value => `${word}:${value}`);
  });
  return [
    ...others,
    ...texts,
    ...(options.isForeach ? [FOREACH] : []),
    ...(options.mayFail ? [MAY_FAIL] : [])
  ];
}
