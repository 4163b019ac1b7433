/**
 * Fetches the code of the sections. This file comes while all is idle, and has the browser fetch the
 * rest, which runs when somebody looks at the panel.
 */
import type { DataSection } from './sections/data';
import type { ModelsSection } from './sections/models';
import type { NotebookSection } from './sections/notebook';
import type { PipelineSection } from './sections/pipeline';
import type { RunsSection } from './sections/runs';

/** The classes of the sections. */
export interface ISectionCode {
  readonly Notebook: typeof NotebookSection;
  readonly Runs: typeof RunsSection;
  readonly Pipeline: typeof PipelineSection;
  readonly Models: typeof ModelsSection;
  readonly Data: typeof DataSection;
}

/** Give the classes of the sections, once their styles are there. */
export async function loadSections(): Promise<ISectionCode> {
  const [notebook, runs, pipeline, models, data] = await Promise.all([
    import(/* webpackPrefetch: true */ './sections/notebook'),
    import(/* webpackPrefetch: true */ './sections/runs'),
    import(/* webpackPrefetch: true */ './sections/pipeline'),
    import(/* webpackPrefetch: true */ './sections/models'),
    import(/* webpackPrefetch: true */ './sections/data'),
    import(/* webpackPrefetch: true */ './styles')
  ]);
  return {
    Notebook: notebook.NotebookSection,
    Runs: runs.RunsSection,
    Pipeline: pipeline.PipelineSection,
    Models: models.ModelsSection,
    Data: data.DataSection
  };
}
