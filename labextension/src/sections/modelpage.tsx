/**
 * A registered model as a document of the main area.
 */
import { Clipboard } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import type { IApi, IModelPlace } from '../api';
import type { IModelQuestions } from '../components/modelpage';
import { ModelPageView } from '../components/modelpage';
import { Loader } from '../loader';
import { makeServing } from '../serving';
import type { IModelDetails, IModelVersion } from '../tokens';
import { PageView } from './answerview';

/** Somebody else may register or promote a version meanwhile. */
const FRESH_MS = 5000;

/** A model, its versions and its history, fresh while somebody looks. */
export class ModelPage extends PageView<IModelDetails> {
  constructor(options: ModelPage.IOptions) {
    const { api, place, translator } = options;
    const page = { offset: 0 };
    super(
      new Loader<IModelDetails>({
        ask: () => api.getModel(place, page.offset),
        isLive: () => true,
        interval: FRESH_MS
      }),
      translator
    );
    this._questions = {
      onVersion: version => api.getModelVersion(place, version),
      onPromote: async promotion => {
        await api.setAlias(place, promotion);
        await this.model.refresh();
      },
      serving: makeServing(api, place, text => Clipboard.copyToSystem(text)),
      onTurnTo: offset => {
        page.offset = offset;
        void this.model.refresh();
      },
      onOpenRun: runId => options.onOpenRun(runId, runId.slice(-8)),
      onCompareRuns: options.onCompareRuns
    };
  }

  protected renderValue(model: IModelDetails): React.JSX.Element {
    return (
      <ModelPageView
        model={model}
        questions={this._questions}
        locale={this.locale}
        trans={this.trans}
      />
    );
  }

  private readonly _questions: IModelQuestions;
}

export namespace ModelPage {
  export interface IOptions {
    readonly api: IApi;
    readonly place: IModelPlace;
    readonly translator: ITranslator;
    readonly onOpenRun: (runId: string, name: string) => void;
    readonly onCompareRuns: (versions: readonly IModelVersion[]) => void;
  }
}
