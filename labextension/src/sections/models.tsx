/**
 * The section "Models": what is registered in the store of the notebook in view.
 */
import { Clipboard } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import type { IApi } from '../api';
import { ModelList } from '../components/modellist';
import { Loader } from '../loader';
import type { IModelsPage } from '../tokens';
import type { INotebookInView } from './answerview';
import { SectionView } from './answerview';

/** A model is registered now and then, by a cell or by somebody else. */
const FRESH_MS = 5000;

/** The registered models, kept fresh while somebody looks. */
export class ModelsSection extends SectionView<IModelsPage> {
  constructor(options: ModelsSection.IOptions) {
    const { api, view, translator } = options;
    // What is asked for hangs on the page in view, which this widget keeps.
    const place = { offset: 0 };
    super(
      new Loader<IModelsPage>({
        ask: () => api.listModels(view.notebook ?? '', place.offset),
        isLive: () => true,
        isReady: () => view.notebook !== null,
        interval: FRESH_MS
      }),
      translator,
      view
    );
    this._place = place;
    this._options = options;
    this.id = 'jp-mlops-models';
    this.title.label = this.trans.__('Models');
  }

  protected renderValue(page: IModelsPage): React.JSX.Element {
    const { onOpen, view } = this._options;
    return (
      <ModelList
        page={page}
        now={Date.now()}
        locale={this.locale}
        trans={this.trans}
        onOpen={name => onOpen(name, view.notebook ?? '')}
        onTurnTo={offset => {
          this._place.offset = offset;
          void this.model.refresh();
        }}
        onCopy={text => Clipboard.copyToSystem(text)}
      />
    );
  }

  protected override forget(): void {
    this._place.offset = 0;
  }

  private readonly _options: ModelsSection.IOptions;
  private readonly _place: { offset: number };
}

export namespace ModelsSection {
  export interface IOptions {
    readonly api: IApi;
    readonly view: INotebookInView;
    readonly translator: ITranslator;
    /** Shows a model in the main area. */
    readonly onOpen: (name: string, notebook: string) => void;
  }
}
