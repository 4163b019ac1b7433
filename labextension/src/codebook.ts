/**
 * Makes a notebook of the cells that a run has executed, in that order.
 */
import type { Contents } from '@jupyterlab/services';

import type { ICell, ICellsPage, IRun } from './tokens';

/** More cells are a log, not a notebook. */
const MOST_CELLS = 5000;

/** Enough names for a person who opens the same run again and again. */
const MOST_NAMES = 100;

/** File systems count bytes and refuse 256 of them; number and ending need some. */
const LONGEST_NAME = 200;

/**
 * Ask for all cells of a run, page by page.
 *
 * @param ask - gives the page that begins at an offset
 */
export async function readCells(
  ask: (offset: number) => Promise<ICellsPage>
): Promise<readonly ICell[]> {
  const cells: ICell[] = [];
  for (;;) {
    const page = await ask(cells.length);
    cells.push(...page.cells);
    const isDone = cells.length >= Math.min(page.count, MOST_CELLS);
    if (isDone || page.cells.length === 0) {
      return cells;
    }
  }
}

/**
 * Make a notebook of cells as they ran; it can be run again from top to bottom.
 *
 * @param run - whose cells they are
 * @param cells - in the order of execution
 * @returns the notebook as its file says it
 */
export function makeNotebook(run: IRun, cells: readonly ICell[]): object {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: {
        name: 'python3',
        display_name: 'Python 3',
        language: 'python'
      },
      mlops_nb: { code_of_run: run.run_id }
    },
    cells: cells.map(({ source }, place) => ({
      cell_type: 'code',
      id: `ran-${place + 1}`,
      execution_count: null,
      metadata: {},
      outputs: [],
      source
    }))
  };
}

/**
 * Name the notebook after its run, so that any file system takes it.
 *
 * @param run - any run
 */
export function nameNotebook(run: IRun): string {
  const plain = run.name.replace(/[^\p{L}\p{N}._-]+/gu, '-');
  const encoder = new TextEncoder();
  let left = LONGEST_NAME;
  // Letter by letter: half of one is no text that a server could read.
  const short = Array.from(plain.slice(0, LONGEST_NAME)).filter(letter => {
    left -= encoder.encode(letter).length;
    return left >= 0;
  });
  const name = short.join('').replace(/^[.-]+|[.-]+$/g, '');
  return `${name || 'run'} as it ran`;
}

/**
 * Write a notebook beside others under a name that nothing has yet.
 *
 * @param contents - the server's files
 * @param folder - from the server's root; empty for the root
 * @param name - without its ending
 * @param content - as `makeNotebook` gives it
 * @returns its path from the server's root
 */
export async function writeNotebook(
  contents: Pick<Contents.IManager, 'get' | 'save'>,
  folder: string,
  name: string,
  content: object
): Promise<string> {
  const path = await freeName(contents, folder, name, '.ipynb');
  await contents.save(path, { type: 'notebook', format: 'json', content });
  return path;
}

/**
 * Find a path that nothing has yet.
 *
 * @param contents - the server's files
 * @param folder - from the server's root; empty for the root
 * @param name - without its ending
 * @param ending - with its dot
 * @returns the path from the server's root
 */
export async function freeName(
  contents: Pick<Contents.IManager, 'get'>,
  folder: string,
  name: string,
  ending: string
): Promise<string> {
  for (let place = 1; place <= MOST_NAMES; place++) {
    const file =
      place === 1 ? `${name}${ending}` : `${name} (${place})${ending}`;
    const path = folder ? `${folder}/${file}` : file;
    const isThere = await contents.get(path, { content: false }).then(
      () => true,
      (error: unknown) => {
        const { response } = error as { response?: { status: number } };
        // Any other failure says nothing about whether a file would be lost.
        if (response?.status !== 404) {
          throw error;
        }
        return false;
      }
    );
    if (!isThere) {
      return path;
    }
  }
  throw new Error(name);
}
