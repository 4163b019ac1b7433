/**
 * Draws the cards of runs under cells, in the colours of the theme and without what may run.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import type { ICard, ICardRun } from './cardwords';
import { CARD_TYPE, readCard } from './cardwords';
import type { RunCard } from './components/card';
import type { PanelSettings } from './settings';
import { TRANSLATION_DOMAIN } from './tokens';

/** Before HTML, which the card has for programs that do not know us. */
const RANK = 10;

/** Give what draws a card, once its styles are there. */
async function loadCard(): Promise<typeof RunCard> {
  const [{ RunCard: component }] = await Promise.all([
    import('./components/card'),
    import('./styles')
  ]);
  return component;
}

/** One output of a cell; the kernel tells it anew as the run goes on. */
class CardRenderer extends ReactWidget implements IRenderMime.IRenderer {
  constructor(options: ICardOptions) {
    super();
    this._options = options;
    this.addClass('jp-MLOpsRunCards');
    options.settings.changed.connect(this._onSettings, this);
  }

  override dispose(): void {
    this._options.settings.changed.disconnect(this._onSettings, this);
    super.dispose();
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._card = readCard(model.data[CARD_TYPE]);
    const text = model.data['text/plain'];
    this._text = typeof text === 'string' ? text : '';
    this._component ??= await loadCard();
    if (this.isDisposed) {
      return; // the output was cleared while the code was on its way
    }
    this.update();
    await this.renderPromise;
  }

  protected override render(): React.JSX.Element | null {
    const { translator, settings, onOpenRun, onOpenPanel } = this._options;
    const Component = this._component;
    if (Component === null || this._card === null) {
      // Written by a newer version, or by somebody else: the words are always there.
      return React.createElement('pre', null, this._text);
    }
    return React.createElement(Component, {
      card: this._card,
      isFolded: settings.foldCards,
      locale: translator.languageCode.replace(/_/g, '-'),
      trans: translator.load(TRANSLATION_DOMAIN),
      onOpenRun,
      onOpenPanel
    });
  }

  private _onSettings(): void {
    this.update();
  }

  private readonly _options: ICardOptions;
  private _card: ICard | null = null;
  private _text = '';
  private _component: typeof RunCard | null = null;
}

export interface ICardOptions {
  readonly settings: PanelSettings;
  readonly translator: ITranslator;
  readonly onOpenRun: (run: ICardRun) => void;
  readonly onOpenPanel: () => void;
}

/**
 * Draw cards from now on, also in notebooks that are not trusted.
 *
 * @param registry - of all outputs; null where there are none
 */
export function addCards(
  registry: IRenderMimeRegistry | null,
  options: ICardOptions
): void {
  registry?.addFactory(
    {
      safe: true, // a card is texts and numbers, and React escapes them
      mimeTypes: [CARD_TYPE],
      createRenderer: () => new CardRenderer(options)
    },
    RANK
  );
}
