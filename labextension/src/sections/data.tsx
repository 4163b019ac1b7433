/**
 * The section "Data & environment": what the last runs used, and what differs.
 */
import type { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import type { IApi } from '../api';
import { DatasetList } from '../components/datasets';
import { Environments } from '../components/environments';
import type { IUses } from '../datawords';
import { Loader } from '../loader';
import type { INotebookInView } from './answerview';
import { SectionView } from './answerview';

/** What runs use changes when one ends; nobody waits for it. */
const FRESH_MS = 5000;

/** What the notebook's last runs used. */
export class DataSection extends SectionView<IUses> {
  constructor(options: DataSection.IOptions) {
    const { api, view, translator } = options;
    super(
      new Loader<IUses>({
        ask: () => api.getUses(view.notebook ?? ''),
        isLive: () => true,
        isReady: () => view.notebook !== null,
        interval: FRESH_MS
      }),
      translator,
      view
    );
    this._options = options;
    this.id = 'jp-mlops-data';
    this.addClass('jp-MLOpsNotebook');
    this.title.label = this.trans.__('Data & environment');
  }

  protected renderValue(uses: IUses): React.JSX.Element {
    const { api, view, onOpenRun } = this._options;
    const notebook = view.notebook ?? '';
    const common = {
      now: Date.now(),
      locale: this.locale,
      trans: this.trans
    };
    if (uses.run_count === 0) {
      return (
        <div className="jp-MLOpsState" role="status">
          <p className="jp-MLOpsState-title">
            {this.trans.__('This notebook has no runs yet')}
          </p>
          <p>
            {this.trans.__(
              'The data that its runs use, and what they run in, appear here.'
            )}
          </p>
        </div>
      );
    }
    return (
      <React.Fragment key={notebook}>
        <Environments
          {...common}
          environments={uses.environments}
          runCount={uses.run_count}
          onDiff={(before, after) =>
            api.diffEnvironments(notebook, before, after)
          }
        />
        <DatasetList
          {...common}
          datasets={uses.datasets}
          onProfile={({ run_id: run, fingerprint }) =>
            api.profileData({ run, fingerprint, notebook })
          }
          onOpenRun={runId => onOpenRun(runId, notebook)}
        />
        {uses.datasets.length < uses.dataset_count && (
          <p className="jp-MLOpsLive-facts">
            {this.trans.__(
              'The last %1 of %2 data sets.',
              uses.datasets.length,
              uses.dataset_count
            )}
          </p>
        )}
      </React.Fragment>
    );
  }

  private readonly _options: DataSection.IOptions;
}

export namespace DataSection {
  export interface IOptions {
    readonly api: IApi;
    readonly view: INotebookInView;
    readonly translator: ITranslator;
    /** Shows a run in the main area. */
    readonly onOpenRun: (runId: string, notebook: string) => void;
  }
}
