/**
 * A run as a document of the main area.
 */
import type { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import type { IApi, IRunPlace } from '../api';
import { readCells } from '../codebook';
import type { IRunQuestions } from '../components/runpage';
import { RunPageView } from '../components/runpage';
import { Loader } from '../loader';
import type { ICell, IRunDetails } from '../tokens';
import { PageView } from './answerview';

/** Everything that one run keeps, fresh while the run is at work. */
export class RunPage extends PageView<IRunDetails> {
  constructor(options: RunPage.IOptions) {
    const { api, place, translator } = options;
    super(
      new Loader<IRunDetails>({
        ask: () => api.getRun(place),
        isLive: run => run.status === 'running'
      }),
      translator
    );
    this._options = options;
    this._questions = {
      onCurve: (key, pixels) => api.getCurve(place, key, pixels),
      onCells: offset => api.listCells(place, offset),
      onSurroundings: () => api.getSurroundings(place),
      onArtifact: path => api.readArtifact(place, path),
      onChildren: () =>
        api.listRuns({
          filter: `parent_run_id = '${place.runId.replace(/[\\']/g, '')}'`,
          orderBy: 'started_at ASC',
          scope: 'store',
          groupBy: null,
          notebook: place.notebook,
          limit: 25,
          offset: 0
        })
    };
  }

  protected renderValue(run: IRunDetails): React.JSX.Element {
    return (
      <RunPageView
        run={run}
        revision={this.model.revision}
        questions={this._questions}
        locale={this.locale}
        trans={this.trans}
        onOpen={this._options.onOpen}
        onOpenFile={this._options.onOpenFile}
        onOpenCode={async shown => {
          const cells = await readCells(this._questions.onCells);
          await this._options.onOpenCells(shown, cells);
        }}
      />
    );
  }

  private readonly _options: RunPage.IOptions;
  private readonly _questions: IRunQuestions;
}

export namespace RunPage {
  export interface IOptions {
    readonly api: IApi;
    readonly place: IRunPlace;
    readonly translator: ITranslator;
    readonly onOpen: (runId: string, name: string) => void;
    readonly onOpenFile: (path: string) => void;
    /** Write cells into a notebook of their own, and open it. */
    readonly onOpenCells: (
      run: IRunDetails,
      cells: readonly ICell[]
    ) => Promise<void>;
  }
}
