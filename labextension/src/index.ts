/**
 * The list of plugins, no logic.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILabShell, ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTools, INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

// eslint-disable-next-line @jupyter/prefer-lazy-imports -- commands are there at once
import { addActions } from './actions';
import type { IPaletteItem } from './actions';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- activation needs it at once
import { createApi } from './api';
import { StepBadges } from './badges';
import { BrowserState } from './browserstate';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- activation needs it at once
import { NotebookBridge } from './bridge';
import { RunChanges } from './changes';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- outputs are drawn at once
import { addCards } from './cards';
import type { ICardRun } from './cardwords';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- commands are there at once
import { addCommands, CommandIDs } from './commands';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- activation needs it at once
import { Documents } from './documents';
import { NotebookFollower } from './follower';
import { whenIdle } from './idle';
import { keepColumns, keepFolds } from './keeper';
import { LiveChanges } from './live';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- activation needs it at once
import { MLOpsModel } from './model';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- its sections load when first seen
import { MLOpsPanel } from './panel';
import { NotebookCells } from './notebookcells';
import { PanelSettings } from './settings';
import { StepTool } from './steptool';
import type { IRun } from './tokens';
import { IMLOpsModel, TRANSLATION_DOMAIN } from './tokens';

export * from './tokens';

/** The panel, its model, its documents and its commands. */
const plugin: JupyterFrontEndPlugin<IMLOpsModel> = {
  id: 'mlops-nb-labextension:plugin',
  description: 'Shows the runs of the notebook in view, live.',
  autoStart: true,
  provides: IMLOpsModel,
  requires: [INotebookTracker],
  optional: [
    ITranslator,
    ICommandPalette,
    ILayoutRestorer,
    ILabShell,
    IStateDB,
    ISettingRegistry,
    INotebookTools,
    IRenderMimeRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null,
    state: IStateDB | null,
    registry: ISettingRegistry | null,
    tools: INotebookTools | null,
    outputs: IRenderMimeRegistry | null
  ): IMLOpsModel => {
    const languages = translator ?? nullTranslator;
    const trans = languages.load(TRANSLATION_DOMAIN);
    const api = createApi(app.serviceManager.serverSettings);
    const model = new MLOpsModel({ api });
    const changes = new RunChanges({
      api,
      getNotebook: () => model.notebook,
      onChanged: () => model.refresh()
    });
    model.notebookChanged.connect(() => changes.clear());
    new NotebookFollower({ model, tracker });
    const hasMainArea = labShell !== null;
    const documents = new Documents({
      ...{ app, api, hasMainArea },
      translator: languages
    });
    const opener = makeOpener(app, documents);
    const bridge = new NotebookBridge({
      tracker,
      onShow: id => app.shell.activateById(id)
    });
    const settings = new PanelSettings();
    const kept = labShell ? state : keepInBrowser(app);
    const panel = new MLOpsPanel({
      api,
      bridge,
      cells: new NotebookCells(tracker),
      live: followStore(app, model),
      model,
      changes,
      opener,
      translator: languages,
      settings,
      ...(kept && { folds: keepFolds(kept) })
    });
    app.shell.add(panel, 'right', { rank: 900, type: 'MLOps' });
    restorer?.add(panel, panel.id);
    const show = () => reveal(app, labShell, panel);
    const badges = new StepBadges(tracker);
    const commands = addCommands({
      ...{ app, model, trans },
      onOpenPanel: () => show(),
      steps: badges,
      onOpenDocument: args => documents.open(args)
    });
    documents.restore(hasMainArea ? restorer : null);
    const actions = addActions({
      ...{ app, model, changes, bridge, trans },
      panel: {
        showSection: name => (show(), panel.showSection(name)),
        runPipeline: request => (show(), panel.runPipeline(request))
      },
      onCompare: opener.compareRuns
    });
    const offered = [...commands.map(command => ({ command })), ...actions];
    offerAll(palette, offered, trans.__('MLOps'));
    followSettings({ app, settings, badges, registry });
    addCards(outputs, {
      ...{ settings, translator: languages, onOpenPanel: show },
      onOpenRun: run => void documents.open(nameDocument(run, model))
    });
    beginWithProject(app, labShell);
    finishLater({ app, bridge, panel, tools, trans });
    if (kept) {
      void keepColumns(model, kept);
    }
    return model;
  }
};

/** Give the palette its items. */
function offerAll(
  palette: ICommandPalette | null,
  items: readonly IPaletteItem[],
  category: string
): void {
  items.forEach(item => palette?.addItem({ ...item, category }));
}

/** Name the page of a run that stands in the notebook in view. */
function nameDocument({ runId, name }: ICardRun, model: IMLOpsModel) {
  return { runIds: [runId], names: [name], notebook: model.notebook ?? '' };
}

/** Give what lasts longer than the page in Notebook 7, whose own state does not. */
function keepInBrowser(app: JupyterFrontEnd): BrowserState {
  return new BrowserState(app.serviceManager.serverSettings.baseUrl);
}

/** Show the panel; Notebook 7 hides what is asked for again. */
function reveal(
  app: JupyterFrontEnd,
  labShell: ILabShell | null,
  panel: MLOpsPanel
): void {
  if (labShell || !panel.isVisible) {
    app.shell.activateById(panel.id);
  }
}

/** Ask anew whenever the server tells that there is news. */
function followStore(app: JupyterFrontEnd, model: MLOpsModel): LiveChanges {
  const live = new LiveChanges({
    events: app.serviceManager.events,
    getNotebook: () => model.notebook
  });
  live.changed.connect(() => void model.refresh());
  return live;
}

/** Show steps in notebooks as the settings say, and let the settings say what was chosen. */
function followSettings(parts: {
  readonly app: JupyterFrontEnd;
  readonly settings: PanelSettings;
  readonly badges: StepBadges;
  readonly registry: ISettingRegistry | null;
}): void {
  const { app, settings, badges, registry } = parts;
  settings.changed.connect(() => {
    badges.isOn = settings.showSteps;
    app.commands.notifyCommandChanged(CommandIDs.toggleSteps);
  });
  badges.changed.connect(() => void settings.keepShowSteps(badges.isOn));
  if (registry) {
    void settings.follow(registry, plugin.id);
  }
}

/** Do what a page that is opening need not wait for. */
function finishLater(parts: {
  readonly app: JupyterFrontEnd;
  readonly bridge: NotebookBridge;
  readonly panel: MLOpsPanel;
  readonly tools: INotebookTools | null;
  readonly trans: TranslationBundle;
}): void {
  const { app, bridge, panel, tools, trans } = parts;
  void app.restored.then(() => {
    addStepTool(tools, new StepTool({ bridge, trans }), trans);
  });
  void whenIdle(app.restored, () => void panel.prepare());
}

/** Give the form of the active cell's step its place in the property inspector. */
function addStepTool(
  tools: INotebookTools | null,
  tool: StepTool,
  trans: TranslationBundle
): void {
  tools?.addSection({
    sectionName: 'mlops',
    label: trans.__('MLOps step'),
    rank: 50,
    tool
  });
}

/** Begin with all runs and models where `mlops-nb ui` was started, which came for nothing else. */
function beginWithProject(
  app: JupyterFrontEnd,
  labShell: ILabShell | null
): void {
  if (PageConfig.getOption('mlopsProject') === 'true') {
    void app.restored.then(() => {
      labShell?.collapseLeft();
      labShell?.collapseRight();
      return app.commands.execute(CommandIDs.openProject);
    });
  }
}

/** Show in the main area what has no room in the panel. */
function makeOpener(
  app: JupyterFrontEnd,
  documents: Documents
): MLOpsPanel.IOpener {
  const compareRuns = (runs: readonly IRun[], notebook: string) =>
    void documents.open({
      runIds: runs.map(run => run.run_id),
      names: runs.map(run => run.name),
      notebook
    });
  return {
    compareRuns,
    openRun: (run, notebook) => compareRuns([run], notebook),
    openRunById: (runId, notebook) =>
      void documents.open({
        runIds: [runId],
        names: [runId.slice(-8)],
        notebook
      }),
    openFile: path => void app.commands.execute('docmanager:open', { path }),
    openModel: (model, notebook) =>
      void documents.open({ runIds: [], names: [], notebook, model })
  };
}

export default plugin;
