/**
 * The sections of the panel by name, for commands and settings.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

/** The ids of the sections, in their order, by the names that settings and commands give them. */
export const SECTION_IDS = {
  notebook: 'jp-mlops-notebook',
  runs: 'jp-mlops-runs',
  pipeline: 'jp-mlops-pipeline',
  models: 'jp-mlops-models',
  data: 'jp-mlops-data'
} as const;

export type SectionName = keyof typeof SECTION_IDS;

/** All names, in the order of the panel. */
export const SECTION_NAMES = Object.keys(SECTION_IDS) as SectionName[];

/**
 * Label the command that shows a section.
 *
 * @param name - of the section
 * @param trans - the language
 * @returns the words of the palette
 */
export function labelSection(
  name: SectionName,
  trans: TranslationBundle
): string {
  switch (name) {
    case 'notebook':
      return trans.__('Show This Notebook');
    case 'runs':
      return trans.__('Show the Runs');
    case 'pipeline':
      return trans.__('Show the Pipeline');
    case 'models':
      return trans.__('Show the Models');
    case 'data':
      return trans.__('Show Data and Environment');
  }
}
