/**
 * How big what leaves a step was in the last run.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IPipeline, IStep } from '../tokens';
import { formatSize } from './format';

/**
 * Give the size of all that leaves a step.
 *
 * @returns null where no run has made any of it
 */
export function sizeLeaving(step: IStep): number | null {
  const sizes = (step.leaves ?? []).map(each => each.size_bytes);
  return sizes.length > 0 ? sizes.reduce((one, other) => one + other) : null;
}

/**
 * Say how big a value that crosses was, and what it shares that size with.
 *
 * @returns an empty text where no run has made it
 */
export function describeSize(
  pipeline: IPipeline,
  source: string,
  name: string,
  locale: string,
  trans: TranslationBundle
): string {
  const step = pipeline.steps.find(each => each.name === source);
  const found = (step?.leaves ?? []).find(each => each.names.includes(name));
  if (!found) {
    return '';
  }
  const size = formatSize(found.size_bytes, locale);
  const others = found.names.filter(other => other !== name);
  return others.length > 0
    ? trans.__('%1 together with %2', size, others.join(', '))
    : size;
}
