/**
 * Which cells of a notebook make which step, told from their tags alone.
 */

/** As much of a cell as decides. */
export interface ITaggedCell {
  readonly isCode: boolean;
  readonly tags: readonly string[];
  readonly source: string;
}

/** The part of a cell. */
export interface ICellPart {
  /** Its step; null where it has none. */
  readonly step: string | null;
  /** Whether the step begins or goes on here by name. */
  readonly isNamed: boolean;
  /** Where the step stands among the others, from 0. */
  readonly place: number;
}

const TAG = /^\s*(?:step|block)\s*:\s*([A-Za-z_][\w-]*)\s*$/;
const COMMENT = /^#\|\s*(?:step|block)\s*:\s*([A-Za-z_][\w-]*)\s*$/;
const SKIPPED = ['skip', 'skip-execution', 'injected-parameters'];

/** The step that a cell names by a tag, or by a comment in its first lines. */
function findName({ tags, source }: ITaggedCell): string | null {
  for (const tag of tags) {
    const name = TAG.exec(tag)?.[1];
    if (name !== undefined) {
      return name;
    }
  }
  for (const line of source.split('\n')) {
    if (!line.startsWith('#') && line.trim()) {
      return null;
    }
    const name = COMMENT.exec(line.trim())?.[1];
    if (name !== undefined) {
      return name;
    }
  }
  return null;
}

/**
 * Tell the part of each cell; a cell without a tag belongs to the step above it.
 *
 * @param cells - in notebook order
 * @returns one part a cell
 */
export function findParts(cells: readonly ITaggedCell[]): ICellPart[] {
  const places = new Map<string, number>();
  let step: string | null = null;
  return cells.map(cell => {
    const isSkipped = cell.tags.some(tag => SKIPPED.includes(tag.trim()));
    if (!cell.isCode || isSkipped) {
      return { step: null, isNamed: false, place: 0 };
    }
    const name = findName(cell);
    step = name ?? step;
    if (step !== null && !places.has(step)) {
      places.set(step, places.size);
    }
    return {
      step,
      isNamed: name !== null,
      place: step === null ? 0 : (places.get(step) ?? 0)
    };
  });
}
