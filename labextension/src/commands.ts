/**
 * What can be asked for by name: from menus, palette, toolbar, keys and other extensions.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon } from '@jupyterlab/ui-components';

import { panelIcon } from './icons';
import type { IMLOpsModel } from './tokens';

export namespace CommandIDs {
  /** Show the panel. */
  export const openPanel = 'mlops:open-panel';
  /** Ask the server for the runs now. */
  export const refreshRuns = 'mlops:refresh-runs';
  /** Show which step each cell belongs to, or show it no more. */
  export const toggleSteps = 'mlops:toggle-steps';
  /** Show one run, compare several, or show a model, in the main area. */
  export const openDocument = 'mlops:open-document';
  /** Show all runs and models of the project. */
  export const openProject = 'mlops:open-project';
}

/** Which runs, what they are called, and the notebook whose store keeps them. */
interface IDocumentArgs {
  readonly runIds: string[];
  readonly names: string[];
  readonly notebook: string;
  readonly model?: string;
  readonly project?: boolean;
}

export interface ICommandsOptions {
  readonly app: JupyterFrontEnd;
  readonly model: IMLOpsModel;
  /** Shows the panel. */
  readonly onOpenPanel: () => void;
  readonly trans: TranslationBundle;
  readonly onOpenDocument: (args: IDocumentArgs) => Promise<void>;
  readonly steps: IStepMarks;
}

/** The marks of steps in notebooks. */
export interface IStepMarks {
  isOn: boolean;
}

/**
 * Register the commands.
 *
 * @returns their ids, for the palette
 */
export function addCommands(options: ICommandsOptions): string[] {
  const { app, model, steps, trans } = options;
  const withoutArguments = {
    args: { type: 'object', properties: {}, additionalProperties: false }
  } as const;
  app.commands.addCommand(CommandIDs.openPanel, {
    label: trans.__('MLOps Panel'),
    caption: trans.__('Show the runs of this notebook'),
    icon: panelIcon,
    describedBy: withoutArguments,
    execute: () => options.onOpenPanel()
  });
  app.commands.addCommand(CommandIDs.refreshRuns, {
    label: trans.__('Refresh the Runs of This Notebook'),
    caption: trans.__('Ask the server for the runs now'),
    icon: refreshIcon,
    describedBy: withoutArguments,
    isEnabled: () => model.visible && model.notebook !== null,
    execute: () => model.refresh()
  });
  app.commands.addCommand(CommandIDs.toggleSteps, {
    label: trans.__('Show Steps in Notebooks'),
    caption: trans.__('Mark which step of the pipeline each cell belongs to'),
    describedBy: withoutArguments,
    isToggleable: true,
    isToggled: () => steps.isOn,
    execute: () => {
      steps.isOn = !steps.isOn;
      app.commands.notifyCommandChanged(CommandIDs.toggleSteps);
    }
  });
  app.commands.addCommand(CommandIDs.openProject, {
    label: trans.__('Show All Runs and Models'),
    caption: trans.__('Of the folder in which the server runs'),
    icon: panelIcon,
    describedBy: withoutArguments,
    execute: () =>
      options.onOpenDocument({
        ...{ runIds: [], names: [], notebook: '', project: true }
      })
  });
  const texts = { type: 'array', items: { type: 'string' } } as const;
  app.commands.addCommand(CommandIDs.openDocument, {
    label: trans.__('Open or Compare Runs'),
    caption: trans.__('Show one run, or several side by side'),
    icon: panelIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          runIds: texts,
          names: texts,
          notebook: { type: 'string' },
          model: { type: 'string' },
          project: { type: 'boolean' }
        },
        required: ['runIds', 'names', 'notebook']
      }
    },
    execute: args => options.onOpenDocument(args as unknown as IDocumentArgs)
  });
  return [
    CommandIDs.openPanel,
    CommandIDs.refreshRuns,
    CommandIDs.toggleSteps,
    CommandIDs.openProject
  ];
}
