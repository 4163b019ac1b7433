/**
 * The section "This notebook": whether it records, what is under way, which cells to run again.
 */
import type { ITranslator } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

import type { IApi } from '../api';
import type { INotebookBridge } from '../bridge';
import { LiveRuns } from '../components/liveruns';
import { RecordSwitch } from '../components/recordswitch';
import { NotPython } from '../components/states';
import { Suspects } from '../components/suspects';
import { Loader } from '../loader';
import type { INotebookCells } from '../notebookcells';
import { isForeign } from '../notebookcells';
import type { ISuspect } from '../notebookwords';
import type { INotebookState } from '../recording';
import { NotebookRecording } from '../recording';
import { findSuspects } from '../staleness';
import type { IRun } from '../tokens';
import type { INotebookInView } from './answerview';
import { SectionView } from './answerview';

/** Between two questions while the kernel or a run is at work, in milliseconds. */
const LIVE_MS = 1000;

/** Between two questions while all is quiet. */
const QUIET_MS = 5000;

/** Tells that runs, or only cells, may be others than those that are shown. */
export interface ILive {
  readonly changed: ISignal<unknown, void>;
  readonly cellsChanged: ISignal<unknown, void>;
}

/** The notebook in view. */
export class NotebookSection extends SectionView<INotebookState> {
  constructor(options: NotebookSection.IOptions) {
    const { api, cells, view, translator } = options;
    const recording = new NotebookRecording({
      api,
      cells,
      getNotebook: () => view.notebook,
      onChanged: () => this.model.refresh()
    });
    super(
      new Loader<INotebookState>({
        ask: () => recording.load(),
        isLive: () => true,
        isReady: () => view.notebook !== null,
        interval: ({ runs }) =>
          cells.isBusy || runs.some(({ status }) => status === 'running')
            ? LIVE_MS
            : QUIET_MS
      }),
      translator,
      view
    );
    this._options = options;
    this._recording = recording;
    recording.stateChanged.connect(this._onChange, this);
    cells.changed.connect(this._onCells, this);
    cells.ran.connect(this._onRan, this);
    options.live?.changed.connect(this._onLive, this);
    options.live?.cellsChanged.connect(this._onLive, this);
    this.id = 'jp-mlops-notebook';
    this.addClass('jp-MLOpsNotebook');
    this.title.label = this.trans.__('This notebook');
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._options.cells.changed.disconnect(this._onCells, this);
      this._options.cells.ran.disconnect(this._onRan, this);
      this._options.live?.changed.disconnect(this._onLive, this);
      this._options.live?.cellsChanged.disconnect(this._onLive, this);
      this._recording.dispose();
      super.dispose();
    }
  }

  protected renderValue(state: INotebookState): React.JSX.Element {
    const { api, bridge, cells, view, onOpen } = this._options;
    const { session, runs, now } = state;
    const notebook = view.notebook ?? '';
    if (isForeign(cells)) {
      return this._renderForeign();
    }
    const isLive = session?.is_live === true;
    return (
      <>
        <RecordSwitch
          session={session}
          hasKernel={cells.kernelId !== null}
          isBusy={cells.isBusy}
          isSwitching={this._recording.isSwitching}
          problem={this._recording.problem}
          trans={this.trans}
          onTurn={isOn => void this._recording.turn(isOn)}
        />
        <LiveRuns
          key={notebook}
          runs={runs}
          revision={this.model.revision}
          now={now}
          locale={this.locale}
          trans={this.trans}
          onCurve={(runId, key, pixels) =>
            api.getCurve({ runId, notebook }, key, pixels)
          }
          onOpen={run => onOpen(run, notebook)}
        />
        {isLive && (
          <Suspects
            suspects={this._findSuspects(state)}
            hasRun={state.executions.length > 0}
            trans={this.trans}
            onGoTo={place => bridge.goTo(place)}
          />
        )}
      </>
    );
  }

  protected override forget(): void {
    this._recording.clear();
    this._suspects = null;
  }

  private _renderForeign(): React.JSX.Element {
    return (
      <NotPython trans={this.trans}>
        {this.trans.__(
          'Only Python notebooks are recorded. Runs that others recorded for it are listed all the same.'
        )}
      </NotPython>
    );
  }

  /** Judge the cells, once for each state of the notebook and each answer. */
  private _findSuspects({ executions }: INotebookState): readonly ISuspect[] {
    if (this._suspects === null || this._judged !== executions) {
      this._suspects = findSuspects(executions, this._options.cells.cells);
      this._judged = executions;
    }
    return this._suspects;
  }

  private _onChange(): void {
    this.update();
  }

  private _onCells(): void {
    this._suspects = null;
    if (this.isVisible) {
      this.update();
    }
  }

  private _onLive(): void {
    void this.model.refresh();
  }

  private _onRan(): void {
    if (this.isVisible) {
      this.update();
      void this.model.refresh();
    }
  }

  private readonly _options: NotebookSection.IOptions;
  private readonly _recording: NotebookRecording;
  private _suspects: readonly ISuspect[] | null = null;
  private _judged: unknown = null;
}

export namespace NotebookSection {
  export interface IOptions {
    readonly api: IApi;
    readonly bridge: INotebookBridge;
    readonly cells: INotebookCells;
    /** Hears of changes at once; without it they are asked for. */
    readonly live?: ILive | undefined;
    readonly view: INotebookInView;
    readonly translator: ITranslator;
    /** Shows a run in the main area. */
    readonly onOpen: (run: IRun, notebook: string) => void;
  }
}
