/**
 * The form of the active cell's step in the property inspector.
 */
import type { INotebookTools } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { INotebookBridge } from './bridge';
import type { TagForm } from './components/tagform';
import type { IProblem } from './tokens';
import { readProblem } from './tokens';

/** What the active cell is for and how its step runs; its code loads when somebody looks. */
export class StepTool extends ReactWidget implements INotebookTools.ITool {
  constructor(options: StepTool.IOptions) {
    super();
    this._options = options;
    this.addClass('jp-MLOpsStepTool');
    this.addClass('jp-MLOpsRuns');
    options.bridge.changed.connect(this._onChange, this);
    options.bridge.saved.connect(this._onSaved, this);
  }

  /** Set by the inspector. */
  notebookTools!: INotebookTools;

  override dispose(): void {
    if (!this.isDisposed) {
      this._options.bridge.changed.disconnect(this._onChange, this);
      this._options.bridge.saved.disconnect(this._onSaved, this);
      super.dispose();
    }
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._look();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._look();
  }

  protected override render(): React.JSX.Element | null {
    const { bridge, trans } = this._options;
    const Form = this._form;
    if (Form === null) {
      return null;
    }
    return React.createElement(
      React.Fragment,
      null,
      React.createElement(Form, {
        cell: bridge.activeCell,
        steps: bridge.stepNames,
        isReadOnly: bridge.isReadOnly,
        isBusy: false,
        hasOptions: true,
        trans,
        onTag: tags => void this._tag(tags)
      }),
      this._problem &&
        this._refused === bridge.activeCell?.id &&
        React.createElement(
          'p',
          { className: 'jp-MLOpsRun-error', role: 'alert' },
          `${trans.__('Not saved.')} ${this._problem.message}`
        )
    );
  }

  private async _tag(tags: readonly string[]): Promise<void> {
    const { bridge } = this._options;
    this._problem = null;
    this._refused = bridge.activeCell?.id ?? null;
    bridge.setTags(tags);
    try {
      await bridge.save();
    } catch (error) {
      this._problem = readProblem(error);
      this.update();
    }
  }

  private _look(): void {
    if (!this.isVisible) {
      return;
    }
    if (this._form !== null) {
      this.update();
      return;
    }
    void Promise.all([import('./components/tagform'), import('./styles')]).then(
      ([{ TagForm: form }]) => {
        this._form = form;
        this.update();
      }
    );
  }

  private _onSaved(): void {
    this._problem = null; // by another way, as by a key
    this._onChange();
  }

  private _onChange(): void {
    if (this.isVisible) {
      this.update();
    }
  }

  private readonly _options: StepTool.IOptions;
  private _form: typeof TagForm | null = null;
  private _problem: IProblem | null = null;
  /** The cell that the problem is about. */
  private _refused: string | null = null;
}

export namespace StepTool {
  export interface IOptions {
    readonly bridge: INotebookBridge;
    readonly trans: TranslationBundle;
  }
}
