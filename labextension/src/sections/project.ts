/**
 * All runs and models of a project as a document of the main area; no notebook needs to be open.
 */
import type { ITranslator } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Panel, SplitPanel, Widget } from '@lumino/widgets';

import type { IApi } from '../api';
import { RunChanges } from '../changes';
import { MLOpsModel } from '../model';
import { TRANSLATION_DOMAIN } from '../tokens';
import { ModelsSection } from './models';
import { RunsSection } from './runs';

/** Runs get more room than models. */
const SHARES = [3, 2];

/** Runs on the left, models on the right; they ask for nothing while nobody looks. */
export class ProjectPage extends SplitPanel {
  constructor(options: ProjectPage.IOptions) {
    super({ orientation: 'horizontal', spacing: 1 });
    const { api, opener, translator } = options;
    const trans = translator.load(TRANSLATION_DOMAIN);
    this.addClass('jp-MLOpsProject');
    this._model = new MLOpsModel({ api, scope: 'store' });
    this._changes = new RunChanges({
      api,
      getNotebook: () => this._model.notebook,
      onChanged: () => this._model.refresh()
    });
    // No notebook, so that the server asks the store of its own folder.
    this._model.setNotebook('');
    const runs = new RunsSection({
      ...{ model: this._model, changes: this._changes, opener, translator }
    });
    const models = new ModelsSection({
      ...{ api, translator, view: this._model },
      onOpen: name => opener.openModel(name)
    });
    // The panel has sections of these names.
    runs.id = 'jp-mlops-project-runs';
    models.id = 'jp-mlops-project-models';
    this.addWidget(Private.title(trans.__('Runs'), runs));
    this.addWidget(Private.title(trans.__('Models'), models));
    this.setRelativeSizes(SHARES);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this._changes.dispose();
      this._model.dispose();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._model.visible = true;
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._model.visible = false;
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._model.visible = this.isVisible;
  }

  protected override onBeforeDetach(msg: Message): void {
    super.onBeforeDetach(msg);
    this._model.visible = false;
  }

  private readonly _model: MLOpsModel;
  private readonly _changes: RunChanges;
}

export namespace ProjectPage {
  /** Shows in the main area what has no room here. */
  export interface IOpener extends RunsSection.IOpener {
    openModel(name: string): void;
  }

  export interface IOptions {
    readonly api: IApi;
    readonly opener: IOpener;
    readonly translator: ITranslator;
  }
}

namespace Private {
  /** Put a heading above a section. */
  export function title(text: string, section: Widget): Widget {
    const panel = new Panel();
    panel.addClass('jp-MLOpsProject-side');
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', text);
    const heading = document.createElement('h1');
    heading.textContent = text;
    panel.addWidget(new Widget({ node: heading }));
    panel.addWidget(section);
    return panel;
  }
}
