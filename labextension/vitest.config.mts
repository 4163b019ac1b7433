import { defineConfig } from 'vitest/config';

/**
 * Tests that leave nothing behind: no widget, no module in another's place. They share what they
 * import, which takes longer than they do; whoever adds one runs it with `--sequence.shuffle`.
 */
const TIDY = [
  ...['asking', 'badges', 'bookname', 'bridge', 'changes', 'codebook'],
  ...['completion', 'components', 'controls', 'crossings', 'datalists'],
  ...['files', 'filter', 'follower', 'format', 'groups', 'keeper', 'keyboard'],
  ...['leaving', 'model', 'modelviews', 'overlay', 'parallel', 'patience'],
  ...['predictwords', 'rail', 'recording', 'related', 'request', 'routes'],
  ...['runagain', 'serving', 'shown', 'staleness', 'steering', 'steptags'],
  ...['whatchanged']
].map(name => `src/__tests__/${name}.spec.{ts,tsx}`);

export default defineConfig({
  test: {
    css: false,
    environment: 'jsdom',
    // JupyterLab's packages import one another without file extensions.
    server: { deps: { inline: [/@jupyterlab\//, /@jupyter\//, /@lumino\//] } },
    setupFiles: ['vitest.setup.ts'],
    testTimeout: 60000,
    projects: [
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['src/__tests__/*.spec.{ts,tsx}'],
          exclude: TIDY
        }
      },
      {
        extends: true,
        test: { name: 'tidy', include: TIDY, isolate: false }
      }
    ]
  }
});
