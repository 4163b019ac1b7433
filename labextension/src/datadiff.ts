/**
 * What differs between two versions of a data set: from their outlines, and from what they hold.
 */
import type {
  IColumnProfile,
  IDatasetProfile,
  IDatasetVersion
} from './datawords';

/** One line of a comparison; null where a side has none. */
export interface IOutlineChange {
  readonly kind: 'rows' | 'shape' | 'size' | 'column';
  /** The column; empty where the line is about the whole. */
  readonly name: string;
  readonly before: string | number | null;
  readonly after: string | number | null;
}

/** Whether there are more columns than are named: of a list that is cut nobody knows what it lacks. */
const isCut = ({ columns, shape }: IDatasetVersion) =>
  columns.length > 0 && columns.length < (shape[1] ?? 0);

/**
 * Compare the outlines of two versions.
 *
 * @param before - the older one
 * @param after - the newer one
 * @returns what differs, the whole first, then column by column
 */
export function compareOutlines(
  before: IDatasetVersion,
  after: IDatasetVersion
): IOutlineChange[] {
  const found: IOutlineChange[] = [];
  const [one, other] = [before.shape, after.shape];
  if (
    one.length === other.length &&
    one.slice(1).join() === other.slice(1).join()
  ) {
    if (one[0] !== other[0]) {
      const rows = { before: one[0] ?? null, after: other[0] ?? null };
      found.push({ kind: 'rows', name: '', ...rows });
    }
  } else {
    const shape = { before: one.join(' × '), after: other.join(' × ') };
    found.push({ kind: 'shape', name: '', ...shape });
  }
  if (before.size_bytes !== after.size_bytes) {
    const size = { before: before.size_bytes, after: after.size_bytes };
    found.push({ kind: 'size', name: '', ...size });
  }
  const types = new Map(before.columns);
  const theirs = new Map(after.columns);
  for (const name of new Set([...types.keys(), ...theirs.keys()])) {
    const column = {
      before: types.get(name) ?? null,
      after: theirs.get(name) ?? null
    };
    const isUnknown =
      (column.before === null && isCut(before)) ||
      (column.after === null && isCut(after));
    if (column.before !== column.after && !isUnknown) {
      found.push({ kind: 'column', name, ...column });
    }
  }
  return found;
}

/** A column on both sides; null where a side has none. */
export interface IColumnPair {
  readonly name: string;
  readonly before: IColumnProfile | null;
  readonly after: IColumnProfile | null;
  readonly differs: boolean;
}

/**
 * Put the columns of two versions side by side, those that differ first.
 *
 * @param before - the older one; null to show one version alone
 * @param after - the newer one
 */
export function pairColumns(
  before: IDatasetProfile | null,
  after: IDatasetProfile
): IColumnPair[] {
  const ours = new Map(before?.columns.map(each => [each.name, each]));
  const theirs = new Map(after.columns.map(each => [each.name, each]));
  const names = [...new Set([...theirs.keys(), ...ours.keys()])];
  return names
    .map(name => {
      const pair = {
        before: ours.get(name) ?? null,
        after: theirs.get(name) ?? null
      };
      const differs =
        before !== null &&
        JSON.stringify(pair.before) !== JSON.stringify(pair.after);
      return { name, ...pair, differs };
    })
    .sort((one, other) => Number(other.differs) - Number(one.differs));
}
