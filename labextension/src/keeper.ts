/**
 * Keeps what a person chose about the panel from one day to the next.
 */
import type { IStateDB } from '@jupyterlab/statedb';

import type { IMLOpsModel } from './tokens';

/** Where choices are kept: JupyterLab's state, or the browser's. */
export type Keepsake = Pick<IStateDB, 'fetch' | 'save' | 'remove'>;

const COLUMNS = 'mlops-nb:columns';
const FOLDS = 'mlops-nb:unfolded';

/**
 * Keep which sections of the panel are unfolded.
 *
 * @param state - where it is kept
 * @returns reads what was kept, null where there is nothing that can be read
 */
export function keepFolds(state: Keepsake): {
  read(): Promise<readonly string[] | null>;
  write(unfolded: readonly string[]): void;
} {
  return {
    read: async () => {
      const kept = await state.fetch(FOLDS).catch(() => null);
      return Array.isArray(kept)
        ? kept.filter((id): id is string => typeof id === 'string')
        : null;
    },
    write: unfolded => Private.settle(state.save(FOLDS, [...unfolded]))
  };
}

/**
 * Bring the chosen columns back, and keep each later choice.
 *
 * @param model - whose columns they are
 * @param state - where they are kept
 */
export async function keepColumns(
  model: IMLOpsModel,
  state: Keepsake
): Promise<void> {
  const kept = await state.fetch(COLUMNS).catch(() => undefined);
  const isChosen = model.columns !== null; // meanwhile, which counts for more
  if (
    !isChosen &&
    Array.isArray(kept) &&
    kept.every(name => typeof name === 'string') &&
    kept.length > 0
  ) {
    model.columns = kept;
  }
  let last: readonly string[] | null = isChosen ? null : model.columns;
  const keep = () => {
    if (model.columns !== last) {
      last = model.columns;
      Private.settle(
        last === null ? state.remove(COLUMNS) : state.save(COLUMNS, [...last])
      );
    }
  };
  model.stateChanged.connect(keep);
  keep();
}

namespace Private {
  /** What cannot be kept lasts as long as the page: no reason to bother anybody. */
  export function settle(kept: Promise<unknown>): void {
    kept.catch(() => undefined);
  }
}
