/**
 * Which cells a run from top to bottom might not give again, and why.
 *
 * Each cell should have used what the nearest cell above it leaves. What the cells read and set was
 * told from the sources that ran; no value is looked at.
 */
import type { ICodeCell, IExecution, IReason, ISuspect } from './notebookwords';

/**
 * Find the cells that should be run again.
 *
 * @param executions - of one session, in the order they ran
 * @param cells - the code cells as they stand in the notebook, from top to bottom
 * @returns those with a reason, from top to bottom
 */
export function findSuspects(
  executions: readonly IExecution[],
  cells: readonly ICodeCell[]
): ISuspect[] {
  const places = new Map(cells.map(({ id }, place) => [id, place]));
  const history = new Private.History(executions);
  /** The nearest cell above that sets a name, as it last ran. */
  const setters = new Map<string, Private.ISetter>();
  const found: ISuspect[] = [];
  cells.forEach((cell, place) => {
    const last = history.findLast(cell.id);
    if (!last || last.status === 'running') {
      return;
    }
    const reasons: IReason[] = [];
    if (cell.source.trim() !== last.source.trim()) {
      reasons.push({ kind: 'edited', name: '', by: null });
    }
    for (const name of last.reads) {
      const reason = Private.judge(name, last, place, {
        cells,
        places,
        setter: setters.get(name),
        used: history.findUsed(name, last)
      });
      if (reason) {
        reasons.push(reason);
      }
    }
    const isOld = reasons.some(({ kind }) => Private.SPREADING.has(kind));
    for (const name of [...last.writes, ...last.changes]) {
      setters.set(name, { index: history.findSetting(last), cell, isOld });
    }
    if (reasons.length > 0) {
      found.push({ cell, executionCount: last.execution_count, reasons });
    }
  });
  return found;
}

namespace Private {
  /** A cell that sets a name. */
  export interface ISetter {
    /** When it last set it. */
    readonly index: number;
    readonly cell: ICodeCell;
    /** Whether it should be run again itself. */
    readonly isOld: boolean;
  }

  interface IAround {
    readonly cells: readonly ICodeCell[];
    readonly places: ReadonlyMap<string, number>;
    /** The nearest cell above that sets the name. */
    readonly setter: ISetter | undefined;
    /** The execution whose value was there. */
    readonly used: IExecution | undefined;
  }

  /** Who runs a cell for these reasons gives others below it something else. */
  export const SPREADING: ReadonlySet<IReason['kind']> = new Set([
    'edited',
    'rebound',
    'upstream',
    'below',
    'order'
  ]);

  /** The executions, found by cell and by what they set. */
  export class History {
    constructor(executions: readonly IExecution[]) {
      for (const execution of executions) {
        if (execution.cell_id !== null) {
          this._last.set(execution.cell_id, execution);
        }
        if (execution.is_repeat) {
          continue;
        }
        if (execution.cell_id !== null) {
          this._lastSetting.set(execution.cell_id, execution.index);
        }
        for (const name of [...execution.writes, ...execution.changes]) {
          const known = this._setting.get(name);
          if (known) {
            known.push(execution);
          } else {
            this._setting.set(name, [execution]);
          }
        }
      }
    }

    findLast(cellId: string): IExecution | undefined {
      return this._last.get(cellId);
    }

    /** When a cell last set what it sets, repetitions left out. */
    findSetting(last: IExecution): number {
      return this._lastSetting.get(last.cell_id ?? '') ?? last.index;
    }

    /** The last execution before another that set a name. */
    findUsed(name: string, before: IExecution): IExecution | undefined {
      const known = this._setting.get(name) ?? [];
      let [low, high] = [0, known.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((known[middle]?.index ?? 0) < before.index) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return known[low - 1];
    }

    private readonly _lastSetting = new Map<string, number>();
    private readonly _last = new Map<string, IExecution>();
    private readonly _setting = new Map<string, IExecution[]>();
  }

  /** Tell what is wrong with a name that a cell used; null where nothing is. */
  export function judge(
    name: string,
    last: IExecution,
    place: number,
    { cells, places, setter, used }: IAround
  ): IReason | null {
    const at = (other: number) => cells[other]?.index ?? null;
    if (setter && setter.index > last.index) {
      return { kind: 'rebound', name, by: setter.cell.index };
    }
    if (!used) {
      return null; // from before recording began, or nobody knows from where
    }
    if (setter && used.cell_id === setter.cell.id) {
      return setter.isOld
        ? { kind: 'upstream', name, by: setter.cell.index }
        : null;
    }
    if (used.cell_id !== null && used.cell_id === last.cell_id) {
      // What only changes in place, as a fit does, mostly begins anew by itself.
      return last.writes.includes(name)
        ? { kind: 'self', name, by: null }
        : null;
    }
    const from = used.cell_id === null ? undefined : places.get(used.cell_id);
    if (from === undefined) {
      return used.cell_id === null ? null : { kind: 'gone', name, by: null };
    }
    if (from > place) {
      return { kind: 'below', name, by: at(from) };
    }
    return setter
      ? { kind: 'order', name, by: at(from) }
      : { kind: 'gone', name, by: null };
  }
}
