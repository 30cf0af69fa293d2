import { describe, expect, test } from 'vitest';
import { readEnvironmentLayer, variableName, variablesOf } from './env-layer.ts';
import { addSettings, type KnownSettings } from './known-settings.ts';

describe('variableName', () => {
  test.for([
    [['concurrency'], 'CADRE_CONCURRENCY'],
    [['cache', 'diskMaxBytes'], 'CADRE_CACHE_DISK_MAX_BYTES'],
    [['baseURL'], 'CADRE_BASE_URL'],
    [['maxURLLength'], 'CADRE_MAX_URL_LENGTH'],
    [['retry-policy', 'max2Ms'], 'CADRE_RETRY_POLICY_MAX2_MS'],
  ] as const)('of %j is %s', ([path, name]) => {
    expect(variableName('CADRE_', path)).toBe(name);
  });
});

describe('readEnvironmentLayer', () => {
  const known: KnownSettings = new Map();
  addSettings(known, { timeoutMs: 1, verbose: true, names: ['a'] });
  const variables = variablesOf('X_', known);
  const terms = { maxFileBytes: 100, maxDepth: 5, isSecret: () => false };

  test.for([
    [{ X_TIMEOUT_MS: 'Infinity' }, { timeoutMs: Number.POSITIVE_INFINITY }],
    [{ X_TIMEOUT_MS: '-1.5e3' }, { timeoutMs: -1_500 }],
    [{ X_VERBOSE: 'false' }, { verbose: false }],
    [{ X_NAMES: '[]' }, { names: [] }],
  ] as const)('reads %j', ([environment, value]) => {
    expect(readEnvironmentLayer(environment, 'X_', variables, [], terms).layer.value).toEqual(value);
  });

  test.for([
    [{ X_TIMEOUT_MS: '5s' }, 'must be a number, got "5s"'],
    [{ X_TIMEOUT_MS: '0x10' }, 'must be a number'],
    [{ X_VERBOSE: '1' }, 'must be `true` or `false`'],
    [{ X_NAMES: 'a,b' }, 'must be a JSON list'],
    [{ X_NAMES: '{}' }, 'must be a JSON list'],
    [{ X_NAMES: `["${'x'.repeat(100)}"]` }, 'longer than maxFileBytes'],
    [{ X_NAMES: '[[[[[[[]]]]]]]' }, 'nested deeper'],
  ] as const)('refuses %j', ([environment, message]) => {
    const { layer, problems } = readEnvironmentLayer(environment, 'X_', variables, [], terms);
    expect(problems.listed).toMatchObject([{ message: expect.stringContaining(message) }]);
    expect(JSON.stringify(layer.value)).not.toContain('x');
  });
});
