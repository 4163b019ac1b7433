/**
 * A widget that shows one answer of the server: loading, broken, or there.
 */
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { VDomRenderer } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

import { Loading, NoNotebook, ProblemBox } from '../components/states';
import type { Loader } from '../loader';
import { TRANSLATION_DOMAIN } from '../tokens';

/** Asks while it is seen, and never while it is not. */
export abstract class AnswerView<T> extends VDomRenderer<Loader<T>> {
  constructor(loader: Loader<T>, translator: ITranslator) {
    super(loader);
    this.trans = translator.load(TRANSLATION_DOMAIN);
    this.locale = translator.languageCode.replace(/_/g, '-');
    this.addClass('jp-MLOpsRuns');
  }

  override dispose(): void {
    if (!this.isDisposed) {
      const { model } = this;
      super.dispose(); // detaches, when there is no model any more
      model.dispose();
    }
  }

  protected abstract renderValue(value: T): React.JSX.Element;

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.model.visible = true;
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._leave();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this.model.visible = this.isVisible;
  }

  protected override onBeforeDetach(msg: Message): void {
    super.onBeforeDetach(msg);
    this._leave();
  }

  protected override render(): React.JSX.Element {
    const { value, problem } = this.model;
    return (
      <>
        {problem && (
          <ProblemBox
            problem={problem}
            trans={this.trans}
            onRetry={() => void this.model.refresh()}
          />
        )}
        {value !== null && this.renderValue(value)}
        {value === null && !problem && <Loading trans={this.trans} />}
      </>
    );
  }

  private _leave(): void {
    if (!this.isDisposed) {
      this.model.visible = false;
    }
  }

  protected readonly trans: TranslationBundle;
  protected readonly locale: string;
}

/** An answer as a document of the main area. */
export abstract class PageView<T> extends AnswerView<T> {
  constructor(loader: Loader<T>, translator: ITranslator) {
    super(loader, translator);
    this.addClass('jp-MLOpsPage');
    this.node.tabIndex = 0;
  }
}

/** An answer about the notebook in view, as a section of the side area. */
export abstract class SectionView<T> extends AnswerView<T> {
  constructor(
    loader: Loader<T>,
    translator: ITranslator,
    private readonly _view: INotebookInView
  ) {
    super(loader, translator);
    _view.notebookChanged.connect(this._onNotebookChanged, this);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._view.notebookChanged.disconnect(this._onNotebookChanged, this);
      super.dispose();
    }
  }

  /** Path of the notebook in view; null while none is open. */
  protected get notebook(): string | null {
    return this._view.notebook;
  }

  protected override render(): React.JSX.Element {
    return this.notebook === null ? (
      <NoNotebook trans={this.trans} />
    ) : (
      super.render()
    );
  }

  /** Forget what was chosen about the notebook that was in view. */
  protected forget(): void {
    // Most sections let nothing be chosen.
  }

  private _onNotebookChanged(): void {
    this.forget();
    this.model.reset();
  }
}

/** Which notebook the sections are about. */
export interface INotebookInView {
  readonly notebook: string | null;
  readonly notebookChanged: ISignal<unknown, void>;
}
