/**
 * The panel in the side area: stacks the sections and tells the model whether somebody looks.
 */
import type { ITranslator } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';

import { panelIcon } from './icons';
import type { RunChanges } from './changes';
import type { MLOpsModel } from './model';
import type { RunsSection as Section } from './sections/runs';
import { TRANSLATION_DOMAIN } from './tokens';

/** The panel in the side area. */
export class MLOpsPanel extends SidePanel {
  constructor(options: MLOpsPanel.IOptions) {
    super({ translator: options.translator });
    const trans = options.translator.load(TRANSLATION_DOMAIN);
    this._model = options.model;
    this._options = options;
    this.id = MLOpsPanel.ID;
    this.addClass('jp-MLOpsPanel');
    this.title.icon = panelIcon;
    this.title.caption = trans.__('MLOps: runs of this notebook');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('MLOps'));
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._look();
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._model.visible = false;
  }

  // Moving to the other side area detaches and attaches without showing.
  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._look();
    }
  }

  protected override onBeforeDetach(msg: Message): void {
    super.onBeforeDetach(msg);
    this._model.visible = false;
  }

  private _look(): void {
    this._model.visible = true;
    if (!this._isStacked) {
      this._isStacked = true;
      void this._stack();
    }
  }

  /** Stack the sections; their code loads when somebody first looks. */
  private async _stack(): Promise<void> {
    const { RunsSection } = await import('./sections/runs');
    if (!this.isDisposed) {
      this.addWidget(new RunsSection(this._options));
    }
  }

  private readonly _model: MLOpsModel;
  private readonly _options: MLOpsPanel.IOptions;
  private _isStacked = false;
}

export namespace MLOpsPanel {
  /** The widget's id, by which the shell activates it. */
  export const ID = 'jp-mlops-panel';

  export interface IOptions {
    readonly model: MLOpsModel;
    readonly changes: RunChanges;
    readonly opener: Section.IOpener;
    readonly translator: ITranslator;
  }
}
