/**
 * Our icons; colours come from the theme through JupyterLab's icon classes and `currentColor`.
 */
import { LabIcon } from '@jupyterlab/ui-components';

import type { RunStatus } from './tokens';

const draw = (shapes: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">${shapes}</svg>`;

/** A curve that climbs over its axes. */
export const panelIcon = new LabIcon({
  name: 'mlops-nb:panel',
  svgstr: draw(
    '<g class="jp-icon3" fill="#616161">' +
      '<path d="M4 3v16a2 2 0 0 0 2 2h15v-2H6V3z"/>' +
      '<path d="m8.6 16.6-1.5-1.3 4.4-5.2 3.2 2.7 3-4-2-1.5L21 4.6l.1 6-1.8-1.3-4.2 5.7-3.3-2.8z"/>' +
      '</g>'
  )
});

/** One shape per status, so that none depends on its colour. */
export const statusIcons: Readonly<Record<RunStatus, LabIcon>> = {
  running: new LabIcon({
    name: 'mlops-nb:run-running',
    svgstr: draw(
      '<g fill="currentColor"><path d="M12 2a10 10 0 1 0 10 10h-2.4A7.6 7.6 0 1 1 12 4.4z"/>' +
        '<circle cx="12" cy="12" r="3.4"/></g>'
    )
  }),
  finished: new LabIcon({
    name: 'mlops-nb:run-finished',
    svgstr: draw(
      '<path fill="currentColor" d="M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1.6 14.6L6 12.2l1.6-1.6 ' +
        '2.8 2.8 6-6L18 9z"/>'
    )
  }),
  failed: new LabIcon({
    name: 'mlops-nb:run-failed',
    svgstr: draw(
      '<path fill="currentColor" d="M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm4.8 13.2-1.6 1.6L12 13.6l-3.2 ' +
        '3.2-1.6-1.6 3.2-3.2-3.2-3.2 1.6-1.6 3.2 3.2 3.2-3.2 1.6 1.6-3.2 3.2z"/>'
    )
  }),
  interrupted: new LabIcon({
    name: 'mlops-nb:run-interrupted',
    svgstr: draw(
      '<path fill="currentColor" d="M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM8 8h8v8H8z"/>'
    )
  })
};

const hollow =
  'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 2.2a7.8 7.8 0 1 1 0 15.6 7.8 7.8 0 0 1 0-15.6z';

/** One shape for what is known of a step. */
export const stepIcons: Readonly<
  Record<
    | 'pending'
    | 'running'
    | 'succeeded'
    | 'cached'
    | 'failed'
    | 'skipped'
    | 'ready'
    | 'waiting',
    LabIcon
  >
> = {
  running: statusIcons.running,
  succeeded: statusIcons.finished,
  failed: statusIcons.failed,
  cached: new LabIcon({
    name: 'mlops-nb:step-cached',
    svgstr: draw(
      `<path fill="currentColor" d="${hollow}m-1.6 12.4L6.8 13l1.6-1.6 2 2 5.2-5.2 1.6 1.6z"/>`
    )
  }),
  skipped: new LabIcon({
    name: 'mlops-nb:step-skipped',
    svgstr: draw(`<path fill="currentColor" d="${hollow}M7 10.9h10v2.2H7z"/>`)
  }),
  pending: new LabIcon({
    name: 'mlops-nb:step-pending',
    svgstr: draw(`<path fill="currentColor" d="${hollow}"/>`)
  }),
  ready: new LabIcon({
    name: 'mlops-nb:step-ready',
    svgstr: draw(
      `<path fill="currentColor" d="${hollow}M9.8 7.6l6.6 4.4-6.6 4.4z"/>`
    )
  }),
  waiting: new LabIcon({
    name: 'mlops-nb:step-waiting',
    svgstr: draw(
      `<path fill="currentColor" d="${hollow}m-1.1 2.6h2.2v5l3.4 2-1.1 1.9-4.5-2.7z"/>`
    )
  })
};
