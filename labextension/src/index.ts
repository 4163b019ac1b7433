/**
 * The list of plugins, no logic.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILabShell, ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

// eslint-disable-next-line @jupyter/prefer-lazy-imports -- activation needs it at once
import { createApi } from './api';
import { StepBadges } from './badges';
import { NotebookBridge } from './bridge';
import { RunChanges } from './changes';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- commands are there at once
import { addCommands } from './commands';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- activation needs it at once
import { Documents } from './documents';
import { NotebookFollower } from './follower';
import { keepColumns, keepFolds, keepSteps } from './keeper';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- activation needs it at once
import { MLOpsModel } from './model';
// eslint-disable-next-line @jupyter/prefer-lazy-imports -- its sections load when first seen
import { MLOpsPanel } from './panel';
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
    IStateDB
  ],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null,
    state: IStateDB | null
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
      app,
      api,
      translator: languages,
      hasMainArea
    });
    const show = (runs: readonly IRun[], notebook: string) =>
      void documents.open({
        runIds: runs.map(run => run.run_id),
        names: runs.map(run => run.name),
        notebook
      });
    const bridge = new NotebookBridge({
      tracker,
      onShow: id => app.shell.activateById(id)
    });
    const panel = new MLOpsPanel({
      api,
      bridge,
      model,
      changes,
      opener: {
        openRun: (run, notebook) => show([run], notebook),
        compareRuns: show,
        openRunById: (runId, notebook) =>
          void documents.open({
            runIds: [runId],
            names: [runId.slice(-8)],
            notebook
          }),
        openFile: path =>
          void app.commands.execute('docmanager:open', { path }),
        openModel: (model, notebook) =>
          void documents.open({ runIds: [], names: [], notebook, model })
      },
      translator: languages,
      ...(state && { folds: keepFolds(state) })
    });
    app.shell.add(panel, 'right', { rank: 900, type: 'MLOps' });
    restorer?.add(panel, panel.id);
    const badges = new StepBadges(tracker);
    const commands = addCommands({
      app,
      model,
      panelId: panel.id,
      trans,
      steps: badges,
      onOpenDocument: args => documents.open(args)
    });
    documents.restore(hasMainArea ? restorer : null);
    for (const command of commands) {
      palette?.addItem({ command, category: trans.__('MLOps') });
    }
    if (state) {
      void keepColumns(model, state);
      void keepSteps(badges, state);
    }
    return model;
  }
};

export default plugin;
