/**
 * Keeps what a person chose about the panel from one day to the next.
 */
import type { IStateDB } from '@jupyterlab/statedb';

import type { IMLOpsModel } from './tokens';

const COLUMNS = 'mlops-nb:columns';

/**
 * Bring the chosen columns back, and keep each later choice.
 *
 * @param model - whose columns they are
 * @param state - where they are kept
 */
export async function keepColumns(
  model: IMLOpsModel,
  state: IStateDB
): Promise<void> {
  const kept = await state.fetch(COLUMNS);
  if (
    Array.isArray(kept) &&
    kept.every(name => typeof name === 'string') &&
    kept.length > 0
  ) {
    model.columns = kept;
  }
  let last = model.columns;
  model.stateChanged.connect(() => {
    if (model.columns !== last) {
      last = model.columns;
      void (last === null
        ? state.remove(COLUMNS)
        : state.save(COLUMNS, [...last]));
    }
  });
}
