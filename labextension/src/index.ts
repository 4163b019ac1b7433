/**
 * The list of plugins, no logic.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { createApi } from './api';
import { addCommands } from './commands';
import { NotebookFollower } from './follower';
import { MLOpsModel } from './model';
import { MLOpsPanel } from './panel';
import { IMLOpsModel, TRANSLATION_DOMAIN } from './tokens';

export * from './tokens';

/** The panel, its model and its commands. */
const plugin: JupyterFrontEndPlugin<IMLOpsModel> = {
  id: 'mlops-nb-labextension:plugin',
  description: 'Shows the runs of the notebook in view, live.',
  autoStart: true,
  provides: IMLOpsModel,
  requires: [INotebookTracker],
  optional: [ITranslator, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): IMLOpsModel => {
    const languages = translator ?? nullTranslator;
    const trans = languages.load(TRANSLATION_DOMAIN);
    const model = new MLOpsModel({
      api: createApi(app.serviceManager.serverSettings)
    });
    new NotebookFollower({ model, tracker });
    const panel = new MLOpsPanel({ model, translator: languages });
    app.shell.add(panel, 'right', { rank: 900, type: 'MLOps' });
    restorer?.add(panel, panel.id);
    const commands = addCommands({ app, model, panelId: panel.id, trans });
    for (const command of commands) {
      palette?.addItem({ command, category: trans.__('MLOps') });
    }
    return model;
  }
};

export default plugin;
