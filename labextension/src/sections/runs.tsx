/**
 * The section "Runs of this notebook": chooses what to show for the state the model is in.
 */
import { Clipboard } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { VDomRenderer } from '@jupyterlab/ui-components';
import * as React from 'react';

import { RunList } from '../components/runlist';
import {
  ForeignVersion,
  Loading,
  NoNotebook,
  NoRuns,
  ProblemBox
} from '../components/states';
import type { MLOpsModel } from '../model';
import { TRANSLATION_DOMAIN, VERSION } from '../tokens';

/** The runs of the notebook in view. */
export class RunsSection extends VDomRenderer<MLOpsModel> {
  constructor(options: RunsSection.IOptions) {
    super(options.model);
    this._trans = options.translator.load(TRANSLATION_DOMAIN);
    this._locale = options.translator.languageCode.replace('_', '-');
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
            {PathExt.basename(notebook)}
          </span>
          {isLive && (
            <span className="jp-MLOpsRuns-live">{trans.__('Live')}</span>
          )}
        </div>
        {this._renderNotices()}
        {this._renderList()}
      </>
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
    const { page, problem, now } = this.model;
    if (page === null) {
      return problem ? null : <Loading trans={this._trans} />;
    }
    if (page.runs.length === 0 && page.offset === 0) {
      return problem ? null : (
        <NoRuns
          trans={this._trans}
          onCopy={text => Clipboard.copyToSystem(text)}
        />
      );
    }
    return (
      <RunList
        page={page}
        now={now}
        locale={this._locale}
        trans={this._trans}
        onTurnTo={offset => this.model.turnTo(offset)}
      />
    );
  }

  private readonly _trans: TranslationBundle;
  private readonly _locale: string;
}

export namespace RunsSection {
  export interface IOptions {
    readonly model: MLOpsModel;
    readonly translator: ITranslator;
  }
}
