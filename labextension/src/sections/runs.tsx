/**
 * The section "Runs of this notebook": chooses what to show for the state the model is in.
 */
import { Clipboard } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { VDomRenderer } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { RunChanges } from '../changes';
import { MOST_COMPARED } from '../changes';
import { ChangeBar } from '../components/changebar';
import { ListBar } from '../components/listbar';
import type { IRunActions } from '../components/run';
import { RunList } from '../components/runlist';
import {
  ForeignVersion,
  Loading,
  NoMatch,
  NoNotebook,
  NoRuns,
  NotPython,
  ProblemBox
} from '../components/states';
import type { MLOpsModel } from '../model';
import type { INotebookCells } from '../notebookcells';
import { isForeign } from '../notebookcells';
import type { IRun } from '../tokens';
import { TRANSLATION_DOMAIN, VERSION } from '../tokens';

/** The runs of the notebook in view. */
export class RunsSection extends VDomRenderer<MLOpsModel> {
  constructor(options: RunsSection.IOptions) {
    super(options.model);
    this._trans = options.translator.load(TRANSLATION_DOMAIN);
    this._options = options;
    const { changes } = options;
    changes.stateChanged.connect(this._onChange, this);
    this._actions = {
      onOpen: run => options.opener.openRun(run, this.model.notebook ?? ''),
      onRename: (run, name) => changes.rename(run, name),
      onTag: (run, key, value) => changes.setTag(run, key, value),
      onUntag: (run, key) => void changes.removeTag(run, key),
      onPin: (run, isPinned) => void changes.setPin(run, isPinned),
      onDelete: run => void changes.remove([run])
    };
    this._locale = options.translator.languageCode.replace(/_/g, '-');
    this.id = 'jp-mlops-runs';
    this.addClass('jp-MLOpsRuns');
    this.title.label = this._trans.__('Runs of this notebook');
  }

  protected override render(): React.JSX.Element {
    const { notebook, isLive } = this.model;
    const trans = this._trans;
    if (notebook === null) {
      return <NoNotebook trans={trans} />;
    }
    return (
      <>
        <div className="jp-MLOpsRuns-notebook">
          <span className="jp-MLOpsRuns-path" title={notebook}>
            {PathExt.basename(notebook) || trans.__('All notebooks')}
          </span>
          {isLive && (
            <span className="jp-MLOpsRuns-live">{trans.__('Live')}</span>
          )}
        </div>
        {this._renderBar()}
        {this._renderNotices()}
        {this._renderList()}
      </>
    );
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._options.changes.stateChanged.disconnect(this._onChange, this);
      super.dispose();
    }
  }

  private _onChange(): void {
    this.update();
  }

  /** Whether there is anything to filter, order or choose. */
  private get _isPlain(): boolean {
    const { page, query } = this.model;
    return page?.runs.length === 0 && page.offset === 0 && !query.filter;
  }

  private _renderBar(): React.JSX.Element | null {
    const { page, query, filterProblem, columns } = this.model;
    const { changes, opener } = this._options;
    const isEmpty = page === null || (this._isPlain && query.scope !== 'store');
    return (
      <div className="jp-MLOpsRuns-bars">
        {!isEmpty && (
          <ListBar
            query={query}
            hasNotebook={this.model.notebook !== ''}
            filterProblem={filterProblem}
            runs={page.runs}
            columns={columns}
            trans={this._trans}
            onQuery={change => this.model.setQuery(change)}
            onColumns={names => {
              this.model.columns = names;
            }}
          />
        )}
        <ChangeBar
          selected={[...changes.selected.values()]}
          mostCompared={MOST_COMPARED}
          deleted={changes.deleted}
          removedTag={changes.removedTag}
          problem={changes.problem}
          isBusy={changes.isBusy}
          trans={this._trans}
          onCompare={runs =>
            opener.compareRuns(runs, this.model.notebook ?? '')
          }
          onDelete={runs => void changes.remove(runs)}
          onUnselect={() => changes.unselect()}
          onUndo={() => void changes.undo()}
          onDismiss={() => changes.dismiss()}
        />
      </div>
    );
  }

  private _renderNotices(): React.JSX.Element {
    const { problem, foreignVersion } = this.model;
    return (
      <>
        {foreignVersion !== null && (
          <ForeignVersion
            ours={VERSION}
            theirs={foreignVersion}
            trans={this._trans}
          />
        )}
        {problem && (
          <ProblemBox
            problem={problem}
            trans={this._trans}
            onRetry={() => void this.model.refresh()}
          />
        )}
      </>
    );
  }

  private _renderList(): React.JSX.Element | null {
    const { page, problem, now, query, columns } = this.model;
    if (page === null) {
      return problem ? null : <Loading trans={this._trans} />;
    }
    const isEmpty = page.runs.length === 0 && page.offset === 0;
    if (isEmpty && !(query.filter && page.pinned?.length)) {
      return problem ? null : query.filter ? (
        <NoMatch
          trans={this._trans}
          onClear={() => this.model.setQuery({ filter: '' })}
        />
      ) : this._options.cells && isForeign(this._options.cells) ? (
        <NotPython trans={this._trans}>
          {this._trans.__(
            'Only Python notebooks are recorded. Runs that others record for it appear here.'
          )}
        </NotPython>
      ) : (
        <NoRuns
          hasNotebook={this.model.notebook !== '' && query.scope !== 'store'}
          searched={page.searched}
          trans={this._trans}
          onCopy={text => Clipboard.copyToSystem(text)}
          onShowAll={() => this.model.setQuery({ scope: 'store' })}
        />
      );
    }
    return (
      <RunList
        page={page}
        groupBy={query.groupBy}
        columns={columns}
        isByTime={query.orderBy === null}
        selected={this._options.changes.selected}
        actions={this._actions}
        onChoose={run => this._options.changes.toggle(run)}
        now={now}
        locale={this._locale}
        trans={this._trans}
        onTurnTo={offset => this.model.turnTo(offset)}
      />
    );
  }

  private readonly _options: RunsSection.IOptions;
  private readonly _actions: IRunActions;
  private readonly _trans: TranslationBundle;
  private readonly _locale: string;
}

export namespace RunsSection {
  /** Shows in the main area what has no room beside it. */
  export interface IOpener {
    openRun(run: IRun, notebook: string): void;
    compareRuns(runs: readonly IRun[], notebook: string): void;
  }

  export interface IOptions {
    readonly model: MLOpsModel;
    readonly changes: RunChanges;
    readonly opener: IOpener;
    readonly translator: ITranslator;
    /** Of the notebook in view; a project has none. */
    readonly cells?: Pick<INotebookCells, 'language'>;
  }
}
