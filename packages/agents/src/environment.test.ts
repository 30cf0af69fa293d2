import { describe, expect, test } from 'vitest';
import { inheritedVariables } from './environment.ts';

describe('inheritedVariables', () => {
  test('takes named variables and patterns, and leaves out the rest', () => {
    const environment = {
      PATH: '/bin',
      LC_TIME: 'C',
      https_proxy: 'p',
      CODEX_HOME: 'c',
      CODEXTRA: 'x',
      TOKEN: 't',
      A: 'a',
    };
    expect(inheritedVariables(environment, ['CODEX_*', 'A'])).toEqual({
      ...{ PATH: '/bin', LC_TIME: 'C', https_proxy: 'p', CODEX_HOME: 'c', A: 'a' },
    });
  });

  test('lets nothing in that must stay out, and nothing undefined', () => {
    expect(
      inheritedVariables({ CLAUDE_A: '1', CLAUDE_B: undefined, CLAUDE_C: '3' }, ['CLAUDE_*'], ['CLAUDE_C']),
    ).toEqual({
      CLAUDE_A: '1',
    });
  });
});
