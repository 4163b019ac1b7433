/**
 * What can be done with the notebook in view by name: its sections, tags, pipeline, chosen runs.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { runIcon } from '@jupyterlab/ui-components';

import type { INotebookBridge } from './bridge';
import type { RunChanges } from './changes';
import { MOST_COMPARED } from './changes';
import { readRole, writeRole } from './components/celltags';
import { panelIcon } from './icons';
import type { SectionName } from './sectionnames';
import { labelSection, SECTION_NAMES } from './sectionnames';
import type { IJobRequest, IMLOpsModel, IRun } from './tokens';

export namespace ActionIDs {
  /** Show the panel with one of its sections. */
  export const showSection = 'mlops:show-section';
  /** Name the step that the active cell begins. */
  export const tagStep = 'mlops:tag-step';
  /** Run the notebook in view as a pipeline. */
  export const runPipeline = 'mlops:run-pipeline';
  /** Run the pipeline and the notebook, and compare what they give. */
  export const verifyPipeline = 'mlops:verify-pipeline';
  /** Show the chosen runs side by side. */
  export const compareRuns = 'mlops:compare-runs';
}

/** What commands ask of the panel. */
export interface IPanelDoor {
  /** Show a section, and give it the focus. */
  showSection(name: SectionName): Promise<void>;
  /** Show the pipeline, and run it. */
  runPipeline(request: IJobRequest): Promise<void>;
}

export interface IActionsOptions {
  readonly app: JupyterFrontEnd;
  readonly model: IMLOpsModel;
  readonly changes: RunChanges;
  readonly bridge: INotebookBridge;
  readonly panel: IPanelDoor;
  readonly trans: TranslationBundle;
  readonly onCompare: (runs: readonly IRun[], notebook: string) => void;
}

/** An item of the palette. */
export interface IPaletteItem {
  readonly command: string;
  readonly args?: { readonly section: SectionName };
}

/** The schema of a command that takes nothing. */
export const NO_ARGUMENTS = {
  args: { type: 'object', properties: {}, additionalProperties: false }
} as const;

/**
 * Register the commands.
 *
 * @returns what the palette offers
 */
export function addActions(options: IActionsOptions): IPaletteItem[] {
  const { app, panel, trans } = options;
  app.commands.addCommand(ActionIDs.showSection, {
    label: ({ section }) =>
      SECTION_NAMES.includes(section as SectionName)
        ? labelSection(section as SectionName, trans)
        : trans.__('Show a Section of the MLOps Panel'),
    icon: panelIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: { section: { type: 'string' } },
        required: ['section']
      }
    },
    isEnabled: ({ section }) => SECTION_NAMES.includes(section as SectionName),
    execute: ({ section }) => panel.showSection(section as SectionName)
  });
  addPipelineActions(options);
  addCompareAction(options);
  return [
    ...SECTION_NAMES.map(section => ({
      command: ActionIDs.showSection,
      args: { section }
    })),
    { command: ActionIDs.tagStep },
    { command: ActionIDs.runPipeline },
    { command: ActionIDs.verifyPipeline },
    { command: ActionIDs.compareRuns }
  ];
}

function addPipelineActions(options: IActionsOptions): void {
  const { app, bridge, model, panel, trans } = options;
  const hasNotebook = () => model.notebook !== null;
  app.commands.addCommand(ActionIDs.tagStep, {
    label: trans.__('Tag the Active Cell as a Step…'),
    caption: trans.__('Name the step of the pipeline that the cell begins'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => {
      const cell = bridge.activeCell;
      return !!cell?.isCode && !cell.hasDirectives && !bridge.isReadOnly;
    },
    execute: () => tagStep(options)
  });
  app.commands.addCommand(ActionIDs.runPipeline, {
    label: trans.__('Run the Notebook as a Pipeline'),
    caption: trans.__('Save the notebook and run its steps'),
    icon: runIcon,
    describedBy: NO_ARGUMENTS,
    isEnabled: hasNotebook,
    execute: () => panel.runPipeline({ mode: 'run' })
  });
  app.commands.addCommand(ActionIDs.verifyPipeline, {
    label: trans.__('Verify the Pipeline Against the Notebook'),
    caption: trans.__('Run both, and compare what they give'),
    describedBy: NO_ARGUMENTS,
    isEnabled: hasNotebook,
    execute: () => panel.runPipeline({ mode: 'verify' })
  });
}

function addCompareAction(options: IActionsOptions): void {
  const { app, changes, model, trans } = options;
  app.commands.addCommand(ActionIDs.compareRuns, {
    label: trans.__('Compare the Chosen Runs'),
    caption: trans.__('Choose 2 to %1 runs in the panel', MOST_COMPARED),
    describedBy: NO_ARGUMENTS,
    isEnabled: () =>
      changes.selected.size >= 2 && changes.selected.size <= MOST_COMPARED,
    execute: () =>
      options.onCompare([...changes.selected.values()], model.notebook ?? '')
  });
}

/** Ask for the name of a step, and write it into the tags of the active cell. */
async function tagStep(options: IActionsOptions): Promise<void> {
  const { bridge, trans } = options;
  const cell = bridge.activeCell;
  if (cell === null) {
    return;
  }
  const role = readRole(cell.tags);
  const answer = await InputDialog.getText({
    title: trans.__('Step of cell %1', cell.index + 1),
    label: trans.__(
      'Letters, digits, “_” and “-”, not a digit first. Without a name the cell belongs to the step above.'
    ),
    placeholder: trans.__('Name of the step'),
    text: role.step,
    pattern: '[A-Za-z_][A-Za-z0-9_\\-]*',
    okLabel: trans.__('Tag and save')
  });
  // Another cell may be active by now, where the dialog was left open.
  const isSame = bridge.activeCell?.id === cell.id;
  if (!answer.button.accept || answer.value === null || !isSame) {
    return;
  }
  const step = answer.value.trim();
  bridge.setTags(
    writeRole(
      cell.tags,
      step
        ? { kind: 'step', step, after: role.after }
        : { kind: 'none', step: '', after: [] }
    )
  );
  await bridge.save();
}
