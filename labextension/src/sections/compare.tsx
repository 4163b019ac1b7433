/**
 * Runs side by side, as a document of the main area.
 */
import type { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import type { IApi } from '../api';
import { ComparisonTable } from '../components/comparison';
import { Overlays } from '../components/overlay';
import { Parallel } from '../components/parallel';
import { Loader } from '../loader';
import type { IComparison } from '../tokens';
import { PageView } from './answerview';

/** The comparison of two or more runs, fresh while one of them is at work. */
export class ComparePage extends PageView<IComparison> {
  constructor(options: ComparePage.IOptions) {
    const { api, runIds, notebook, translator } = options;
    super(
      new Loader<IComparison>({
        ask: () => api.compareRuns(runIds, notebook, 0),
        isLive: ({ runs }) => runs.some(run => run.status === 'running')
      }),
      translator
    );
    this._options = options;
  }

  protected renderValue(comparison: IComparison): React.JSX.Element {
    const { api, notebook } = this._options;
    return (
      <>
        <h1>
          {this.trans.__('Comparison of %1 runs', comparison.runs.length)}
        </h1>
        <ComparisonTable
          comparison={comparison}
          locale={this.locale}
          trans={this.trans}
          onOpen={run => this._options.onOpen(run.run_id, run.name)}
          onMore={offset =>
            api.compareRuns(
              comparison.runs.map(run => run.run_id),
              notebook,
              offset
            )
          }
        />
        <Parallel
          comparison={comparison}
          locale={this.locale}
          trans={this.trans}
        />
        <Overlays
          runs={comparison.runs}
          revision={this.model.revision}
          locale={this.locale}
          trans={this.trans}
          onCurve={(runId, key, pixels) =>
            api.getCurve({ runId, notebook }, key, pixels)
          }
        />
      </>
    );
  }

  private readonly _options: ComparePage.IOptions;
}

export namespace ComparePage {
  export interface IOptions {
    readonly api: IApi;
    readonly runIds: readonly string[];
    readonly notebook: string;
    readonly translator: ITranslator;
    readonly onOpen: (runId: string, name: string) => void;
  }
}
