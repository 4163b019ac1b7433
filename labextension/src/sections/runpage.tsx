/**
 * A run as a document of the main area.
 */
import type { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import type { IApi, IRunPlace } from '../api';
import { readCells } from '../codebook';
import type { IRunQuestions } from '../components/runpage';
import { RunPageView } from '../components/runpage';
import { isReproducing } from '../components/reproduction';
import { Loader } from '../loader';
import type { IRunAgain } from '../runagain';
import type { ICell, IJob, IRun, IRunDetails } from '../tokens';
import { readProblem } from '../tokens';
import { PageView } from './answerview';

/** A run, and the last reproduction of it that this server has begun. */
interface IRunState {
  readonly run: IRunDetails;
  readonly job: IJob | null;
}

/** Everything that one run keeps, fresh while the run is at work. */
export class RunPage extends PageView<IRunState> {
  constructor(options: RunPage.IOptions) {
    const { api, place, translator } = options;
    super(
      new Loader<IRunState>({
        ask: async () => {
          const [run, { job }] = await Promise.all([
            api.getRun(place),
            api.getReproduction(place).catch(Private.forgive)
          ]);
          return { run, job };
        },
        isLive: ({ run, job }) => run.status === 'running' || isReproducing(job)
      }),
      translator
    );
    this._options = options;
    this._again = options.makeAgain(() => this.model.refresh());
    this._questions = {
      onCurve: (key, pixels) => api.getCurve(place, key, pixels),
      onCells: offset => api.listCells(place, offset),
      onSurroundings: () => api.getSurroundings(place),
      onOther: (beside, offset) =>
        api.compareRuns([place.runId], place.notebook, offset, beside),
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

  protected renderValue({ run, job }: IRunState): React.JSX.Element {
    return (
      <RunPageView
        run={run}
        job={job}
        again={this._again}
        revision={this.model.revision}
        questions={this._questions}
        locale={this.locale}
        trans={this.trans}
        onOpen={this._options.onOpen}
        onCompare={this._options.onCompare}
        onOpenFile={this._options.onOpenFile}
        onOpenCode={async shown => {
          const cells = await readCells(this._questions.onCells);
          await this._options.onOpenCells(shown, cells);
        }}
      />
    );
  }

  private readonly _options: RunPage.IOptions;
  private readonly _again: IRunAgain;
  private readonly _questions: IRunQuestions;
}

export namespace RunPage {
  export interface IOptions {
    readonly api: IApi;
    readonly place: IRunPlace;
    readonly translator: ITranslator;
    /** Give what can be done with the run; the page asks anew when it is told of a change. */
    readonly makeAgain: (onChanged: () => Promise<void>) => IRunAgain;
    readonly onOpen: (runId: string, name: string) => void;
    readonly onCompare: (runs: readonly IRun[]) => void;
    readonly onOpenFile: (path: string) => void;
    /** Write cells into a notebook of their own, and open it. */
    readonly onOpenCells: (
      run: IRunDetails,
      cells: readonly ICell[]
    ) => Promise<void>;
  }
}

namespace Private {
  /**
   * Show a run also where nothing is known of reproductions: an older server makes none, and one is
   * asked for by whole ids only. Of any other failure a job that goes on would seem to be none.
   */
  export function forgive(error: unknown): { readonly job: null } {
    if (!['missing', 'input'].includes(readProblem(error).kind)) {
      throw error;
    }
    return { job: null };
  }
}
