/**
 * Puts the runs of a page into groups: pinned ones first, then those that have something in common.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRun, IRunsPage } from '../tokens';
import { PIN_TAG } from '../tokens';
import { readColumn, splitColumn, unquoteColumn } from './columns';
import { formatParam } from './format';

/** Longer values make headings that hide the runs below them. */
const LONGEST_VALUE = 60;

/** Runs with a heading of their own. */
export interface IRunGroup {
  /** Null where all runs are in one group. */
  readonly label: string | null;
  readonly runs: readonly IRun[];
}

/** Whether a run stays in view. */
export const isPinned = (run: IRun) => run.tags[PIN_TAG] === 'yes';

/** What a run has in common with the others of its group, in words. */
function describe(
  run: IRun,
  groupBy: string,
  trans: TranslationBundle
): string {
  if (groupBy === 'experiment') {
    return run.experiment;
  }
  if (groupBy === 'notebook') {
    return run.notebook
      ? PathExt.basename(run.notebook.replace(/\\/g, '/'))
      : trans.__('No notebook');
  }
  const column = unquoteColumn(groupBy);
  const [, key] = splitColumn(column);
  const value = readColumn(run, column);
  return value === undefined
    ? trans.__('No %1', key)
    : `${key} = ${formatParam(value).slice(0, LONGEST_VALUE)}`;
}

/**
 * Put the runs of a page into groups.
 *
 * @param page - in the order of the groups, as the server gives it
 * @param groupBy - as filters write it; null for no groups
 * @param trans - the language
 * @returns at least one group, each with a run in it unless the page is empty
 */
export function groupRuns(
  page: IRunsPage,
  groupBy: string | null,
  trans: TranslationBundle
): IRunGroup[] {
  const pinned = page.pinned ?? [];
  const ids = new Set(pinned.map(run => run.run_id));
  const others = page.runs.filter(run => !ids.has(run.run_id));
  const groups: { label: string | null; runs: IRun[] }[] = [];
  if (pinned.length > 0) {
    groups.push({ label: trans.__('Pinned'), runs: [...pinned] });
  }
  const rest: typeof groups = [];
  for (const run of others) {
    const label =
      groupBy !== null
        ? describe(run, groupBy, trans)
        : pinned.length > 0
          ? trans.__('Other runs')
          : null;
    const last = rest[rest.length - 1];
    if (last && last.label === label) {
      last.runs.push(run);
    } else {
      rest.push({ label, runs: [run] });
    }
  }
  groups.push(...rest);
  return groups.length > 0 ? groups : [{ label: null, runs: [] }];
}
