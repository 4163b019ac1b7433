import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    css: false,
    environment: 'jsdom',
    include: ['src/__tests__/*.spec.ts', 'src/__tests__/*.spec.tsx'],
    // JupyterLab's packages import one another without file extensions.
    server: { deps: { inline: [/@jupyterlab\//, /@jupyter\//, /@lumino\//] } },
    setupFiles: ['vitest.setup.ts'],
    testTimeout: 20000
  }
});
