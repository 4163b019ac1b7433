import js from '@eslint/js';
import jupyterPlugin from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Every rule of the plugin that does not concern Galata, which we do not use, at error. */
const jupyterRules = Object.fromEntries(
  Object.keys(jupyterPlugin.rules)
    .filter(
      name =>
        !name.startsWith('galata-') &&
        name !== 'require-soft-assertions-before-snapshots'
    )
    .map(name => [`@jupyter/${name}`, 'error'])
);

/** The floors of the panel, highest first: an import only goes down. */
const LIST = [
  'index',
  'documents',
  'commands',
  'panel',
  'keeper',
  'follower',
  'badges',
  'sections/*',
  'components/*',
  'model',
  'changes',
  'steering',
  'bridge',
  'loader',
  'api',
  'request',
  'icons',
  'steps'
];
const MAY_IMPORT = {
  'index.ts': LIST,
  'documents.ts': ['sections/*', 'commands', 'api', 'icons'],
  'commands.ts': ['icons'],
  'panel.ts': ['sections/*', 'model', 'changes', 'bridge', 'api', 'icons'],
  'keeper.ts': [],
  'follower.ts': [],
  'badges.ts': ['steps'],
  'sections/**': [
    'sections/*',
    'components/*',
    'model',
    'changes',
    'steering',
    'bridge',
    'loader',
    'api',
    'icons'
  ],
  'components/**': ['components/*', 'steering', 'bridge', 'api', 'icons'],
  'model.ts': ['api'],
  'changes.ts': ['api'],
  'steering.ts': ['bridge', 'api'],
  'bridge.ts': ['steps'],
  'loader.ts': [],
  'api.ts': ['request'],
  'request.ts': [],
  'icons.ts': [],
  'steps.ts': [],
  'tokens.ts': []
};
const FLOORS = Object.fromEntries(
  Object.entries(MAY_IMPORT).map(([files, allowed]) => [
    files,
    LIST.filter(name => !allowed.includes(name))
  ])
);

export default tseslint.config(
  { ignores: ['lib', 'node_modules'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: './tsconfig.test.json',
        tsconfigRootDir: import.meta.dirname
      }
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@jupyter': jupyterPlugin },
    rules: {
      ...jupyterRules,
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true }
      ],
      // Lumino's pattern: interface, class and namespace of one name.
      '@typescript-eslint/no-namespace': 'off',
      // Signals take a method and its `this` as two arguments.
      '@typescript-eslint/unbound-method': 'off',
      // Plugins and handlers are written as statements, `void` marks a promise nobody waits for.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true }
      ],
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'max-lines': ['error', 400],
      'max-lines-per-function': [
        'error',
        { max: 80, skipComments: true, skipBlankLines: true }
      ],
      'no-console': 'error'
    }
  },
  ...Object.entries(FLOORS)
    .filter(([, banned]) => banned.length)
    .map(([files, banned]) => ({
      files: [`src/${files}`],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                group: banned.flatMap(name => [`./${name}`, `../${name}`]),
                message:
                  'An import only goes down: index, panel, sections, components; model, api, request.'
              }
            ]
          }
        ]
      }
    })),
  {
    files: ['src/__tests__/**', 'vitest.*'],
    rules: {
      '@jupyter/no-untranslated-string': 'off', // tests show what they expect as it stands
      '@typescript-eslint/no-empty-function': 'off',
      'max-lines-per-function': 'off'
    }
  },
  { files: ['**/*.mjs', '**/*.js'], ...tseslint.configs.disableTypeChecked },
  prettier
);
