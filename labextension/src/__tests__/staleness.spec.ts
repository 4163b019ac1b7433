import { describe, expect, it } from 'vitest';

import type { ICodeCell, IExecution } from '../notebookwords';
import { findSuspects } from '../staleness';

/** A cell as `id: source`, and what it reads, sets and changes. */
interface IPlan {
  readonly reads?: string;
  readonly writes?: string;
  readonly changes?: string;
}

const split = (names = '') => names.split(' ').filter(Boolean);

/** Execute cells one after the other. */
function execute(plans: Record<string, IPlan>, order: string): IExecution[] {
  return split(order).map((id, index) => ({
    index,
    cell_id: id === '-' ? null : id,
    execution_count: index + 1,
    status: 'ok',
    source: id,
    reads: split(plans[id]?.reads),
    writes: split(plans[id]?.writes),
    changes: split(plans[id]?.changes),
    is_repeat: false
  }));
}

const place = (ids: string): ICodeCell[] =>
  split(ids).map((id, at) => ({ index: at * 2, id, source: id }));

/** What is wrong, as `cell: kind name by`. */
const tell = (executions: readonly IExecution[], cells: readonly ICodeCell[]) =>
  findSuspects(executions, cells).flatMap(({ cell, reasons }) =>
    reasons.map(({ kind, name, by }) =>
      `${cell.id}: ${kind} ${name} ${by ?? ''}`.trim()
    )
  );

const CHAIN = {
  load: { writes: 'rows' },
  clean: { reads: 'rows', writes: 'rows' },
  total: { reads: 'rows', writes: 'total' },
  tell: { reads: 'total' }
};

describe('findSuspects', () => {
  it('says nothing of a notebook that ran from top to bottom', () => {
    const cells = place('load clean total tell');
    expect(tell(execute(CHAIN, 'load clean total tell'), cells)).toEqual([]);
    expect(
      tell(execute(CHAIN, 'load clean total tell load clean total tell'), cells)
    ).toEqual([]);
  });

  it('names the cell that set anew what another had used, and what follows', () => {
    const executions = execute(CHAIN, 'load clean total tell load');
    expect(tell(executions, place('load clean total tell'))).toEqual([
      'clean: rebound rows 0',
      'total: upstream rows 2',
      'tell: upstream total 4'
    ]);
  });

  it('finds edits, and what hangs on them; blank ends are no edit', () => {
    const cells = place('load clean total tell').map(cell =>
      cell.id === 'total'
        ? { ...cell, source: 'total + 1' }
        : { ...cell, source: `${cell.source}\n` }
    );
    expect(tell(execute(CHAIN, 'load clean total tell'), cells)).toEqual([
      'total: edited',
      'tell: upstream total 4'
    ]);
  });

  it('finds cells that ran on what a cell further down had left', () => {
    const executions = execute(CHAIN, 'load clean total tell');
    expect(tell(executions, place('load total clean tell'))).toEqual([
      'total: below rows 4',
      'tell: upstream total 2'
    ]);
  });

  it('finds a cell that ran again on its own result, but not a second fit', () => {
    const executions = execute(CHAIN, 'load clean clean');
    expect(tell(executions, place('load clean'))).toEqual(['clean: self rows']);
    const fit = {
      make: { writes: 'model' },
      fit: { reads: 'model', changes: 'model' },
      use: { reads: 'model' }
    };
    expect(
      tell(execute(fit, 'make fit fit use'), place('make fit use'))
    ).toEqual([]);
    expect(
      tell(execute(fit, 'make fit use fit'), place('make fit use'))
    ).toEqual(['use: rebound model 2']);
  });

  it('finds what no cell sets any more', () => {
    const executions = execute(CHAIN, 'load total tell');
    expect(tell(executions, place('total tell'))).toEqual(['total: gone rows']);
    // The cell is still there, but what it sets now is another name.
    const changed = execute({ ...CHAIN, load: { writes: 'other' } }, 'load');
    expect(
      tell(
        [...executions, ...changed.map(each => ({ ...each, index: 3 }))],
        place('load total')
      )
    ).toEqual(['total: gone rows']);
  });

  it('finds a nearer cell that had been passed over', () => {
    const executions = execute(CHAIN, 'clean load total');
    expect(
      tell(executions, place('load clean total')).filter(each =>
        each.startsWith('total')
      )
    ).toEqual(['total: order rows 0']);
  });

  it('claims nothing about what it cannot know', () => {
    // From before recording began, from a front end without ids, or still running.
    expect(tell(execute(CHAIN, 'total'), place('total'))).toEqual([]);
    const strange = execute({ ...CHAIN, '-': { writes: 'rows' } }, '- total');
    expect(tell(strange, place('total'))).toEqual([]);
    const running = execute(CHAIN, 'load total load').map(each =>
      each.cell_id === 'total' ? { ...each, status: 'running' as const } : each
    );
    expect(tell(running, place('load total'))).toEqual([]);
    expect(tell([], place('load total'))).toEqual([]);
  });

  it('lets definitions run again', () => {
    const executions = execute(CHAIN, 'load total load').map(each => ({
      ...each,
      is_repeat: each.index === 2
    }));
    expect(tell(executions, place('load total'))).toEqual([]);
  });

  it('judges a thousand cells in no time', () => {
    const plans: Record<string, IPlan> = {};
    const ids = Array.from({ length: 1000 }, (_, at) => `c${at}`);
    ids.forEach((id, at) => {
      plans[id] = { reads: `v${at - 1} shared`, writes: `v${at} shared` };
    });
    const executions = execute(plans, `${ids.join(' ')} ${ids[0]}`);
    expect(findSuspects(executions, place(ids.join(' ')))).toHaveLength(1000); // the first ran again on what the last had left
  });
});
