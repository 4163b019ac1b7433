/**
 * What a person has set about the panel, as the settings editor shows it.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { SectionName } from './sectionnames';

/** The settings; before the registry has answered, and without one, they are the defaults. */
export class PanelSettings {
  /** Emitted when a setting may have changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether steps are shown in notebooks. */
  get showSteps(): boolean {
    return this._read('showSteps') !== false;
  }

  /** Whether the runs are asked for while nobody sees them. */
  get refreshWhileHidden(): boolean {
    return this._read('refreshWhileHidden') === true;
  }

  /** Whether the cards of runs show their first line only, until somebody unfolds them. */
  get foldCards(): boolean {
    return this._read('foldCards') === true;
  }

  /** Whether a section has a place in the panel. */
  hasSection(name: SectionName): boolean {
    const sections = this._read('sections');
    return !(
      typeof sections === 'object' &&
      sections !== null &&
      (sections as Record<string, unknown>)[name] === false
    );
  }

  /**
   * Follow the registry from now on.
   *
   * @param registry - keeps all settings of the application
   * @param id - of our plugin
   */
  async follow(registry: ISettingRegistry, id: string): Promise<void> {
    try {
      this._settings = await registry.load(id);
    } catch {
      // A slip in the settings file leaves the defaults; JupyterLab itself says where it is.
      return;
    }
    this._settings.changed.connect(this._tell, this);
    this._tell();
  }

  /** Keep whether steps are shown in notebooks. */
  async keepShowSteps(isOn: boolean): Promise<void> {
    if (isOn !== this.showSteps) {
      await this._settings?.set('showSteps', isOn);
    }
  }

  private _read(name: string): unknown {
    return this._settings?.composite[name];
  }

  private _tell(): void {
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _settings: ISettingRegistry.ISettings | null = null;
}
