import { describe, expect, test } from 'vitest';
import { commandName, quoted } from './command-name.ts';

describe('commandName', () => {
  test.for([
    { script: '/usr/local/bin/cadre', is: 'cadre' },
    { script: '/home/me/app/node_modules/.bin/cadre', is: 'npx cadre' },
    { script: '/home/me/app/node_modules/cadre/dist/main.js', is: 'npx cadre' },
    { script: '/repo/apps/orchestrator/dist/main.js', is: 'node apps/orchestrator/dist/main.js' },
    { script: '/else where/dist/main.js', is: "node '/else where/dist/main.js'" },
  ])('is $is for $script', ({ script, is }) => {
    expect(commandName({ environment: {}, script, directory: '/repo' })).toBe(is);
  });

  test('is what CADRE_COMMAND_NAME says', () => {
    expect(commandName({ environment: { CADRE_COMMAND_NAME: 'x' }, script: '/a/main.js', directory: '/' })).toBe('x');
  });
});

describe('quoted', () => {
  test.for([
    ['plain-word_1.2/x', 'plain-word_1.2/x'],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ['$HOME', "'$HOME'"],
    ['', "''"],
  ] as const)('makes %s into %s', ([word, text]) => {
    expect(quoted(word)).toBe(text);
  });
});
