/**
 * Places the steps of a pipeline on lanes beside their list, in notebook order.
 */

/** More lanes are drawn on one another: the list says in words what hangs on what. */
export const MOST_LANES = 8;

/** What is drawn beside one step. */
export interface ILaneRow {
  /** Where the step stands. */
  readonly lane: number;
  /** Lanes that go past it, from top to bottom. */
  readonly through: readonly number[];
  /** Lanes that reach it from above: from the top to the step. */
  readonly into: readonly number[];
  /** Whether anything below hangs on it. */
  readonly hasTail: boolean;
}

/**
 * Choose lanes: a step goes on in the lane of a step that nothing else waits for, else in the first
 * that is free.
 *
 * @param names - the steps in notebook order
 * @param links - pairs of names: the second hangs on the first
 * @returns one row a step
 */
export function layoutLanes(
  names: readonly string[],
  links: readonly (readonly [string, string])[]
): ILaneRow[] {
  const places = new Map(names.map((name, place) => [name, place]));
  const parents: Set<number>[] = names.map(() => new Set());
  const lastUse = names.map((_, place) => place);
  for (const [source, target] of links) {
    const [from, to] = [places.get(source), places.get(target)];
    if (from !== undefined && to !== undefined && from < to) {
      parents[to]?.add(from);
      lastUse[from] = Math.max(lastUse[from] ?? from, to);
    }
  }
  const laneOf: number[] = [];
  return names.map((_, row) => {
    /** Lanes that steps above hold beyond this row. */
    const held = new Set(
      laneOf.filter((__, other) => (lastUse[other] ?? other) > row)
    );
    const into = [...(parents[row] ?? [])].map(other => laneOf[other] ?? 0);
    const free = into.filter(lane => !held.has(lane)).sort((a, b) => a - b);
    let lane = free[0] ?? 0;
    while (held.has(lane)) {
      lane++;
    }
    lane = Math.min(lane, MOST_LANES - 1);
    laneOf.push(lane);
    return {
      lane,
      through: [...held].sort((a, b) => a - b),
      into: [...new Set(into)].sort((a, b) => a - b),
      hasTail: (lastUse[row] ?? row) > row
    };
  });
}
