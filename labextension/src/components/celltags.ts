/**
 * What the tags of a cell say to the pipeline, read and written without touching other tags.
 */

/** What a cell is for. */
export type CellKind = 'none' | 'step' | 'parameters' | 'imports' | 'skip';

export interface ICellRole {
  readonly kind: CellKind;
  readonly step: string;
  readonly after: readonly string[];
}

/** Kale's words mean the same; blanks around words mean nothing. */
const STEP = /^\s*(?:step|block)\s*:\s*(.*?)\s*$/;
const AFTER = /^\s*(?:after|prev)\s*:(.*)$/;
const PLAIN: ReadonlyMap<string, CellKind> = new Map([
  ['parameters', 'parameters'],
  ['pipeline-parameters', 'parameters'],
  ['imports', 'imports'],
  ['functions', 'imports'],
  ['skip', 'skip'],
  ['skip-execution', 'skip']
]);

/** A step is called like a variable; '-' may stand in it. */
export const isStepName = (name: string) => /^[A-Za-z_][\w-]*$/.test(name);

const readPlain = (tag: string) => PLAIN.get(tag.trim());

const isOurs = (tag: string) =>
  STEP.test(tag) || AFTER.test(tag) || readPlain(tag) !== undefined;

/**
 * Read what the tags say.
 *
 * @param tags - of one cell
 * @returns a step wins over all else, as it does where the notebook is run
 */
export function readRole(tags: readonly string[]): ICellRole {
  const steps = tags.flatMap(tag => STEP.exec(tag)?.[1] ?? []);
  const after = tags
    .flatMap(tag => AFTER.exec(tag)?.[1] ?? [])
    .flatMap(names => names.split(','))
    .map(name => name.trim())
    .filter(Boolean);
  const plain = tags.map(readPlain).find(kind => kind !== undefined);
  return {
    kind: steps.length > 0 ? 'step' : (plain ?? 'none'),
    step: steps[0] ?? '',
    after
  };
}

/**
 * Write what a cell is for into its tags.
 *
 * @param tags - as they are
 * @param role - what they shall say
 * @returns tags that are not ours stay, in their order
 */
export function writeRole(
  tags: readonly string[],
  role: ICellRole
): readonly string[] {
  const others = tags.filter(tag => !isOurs(tag));
  switch (role.kind) {
    case 'none':
      return others;
    case 'step':
      return [
        ...others,
        // A cell may begin a step and declare parameters.
        ...tags.filter(tag => readPlain(tag) === 'parameters'),
        `step:${role.step}`,
        ...role.after.map(name => `after:${name}`)
      ];
    default:
      return [...others, role.kind];
  }
}
