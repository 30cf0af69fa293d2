/** What a file, a variable or a flag can hold that was written to do harm. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { loadConfig } from './load.ts';
import type { LoadOptions } from './options.ts';

const schema = z.looseObject({ agents: z.record(z.string(), z.unknown()).optional() });
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cadre-hostile-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function failure(options: Partial<LoadOptions<typeof schema>> = {}): Promise<ConfigError> {
  try {
    await loadConfig({ schema, name: 'cadre', cwd: root, topDirectory: root, ...options });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function projectFile(name: string, text: string): string {
  const file = join(root, name);
  writeFileSync(file, text);
  return file;
}

// A merge by `Object.assign` or `target[key] = …` over the parsed values fails the `__proto__` rows of this table.
describe('keys that could reach a prototype', () => {
  const keys = ['__proto__', 'constructor', 'prototype'];
  const texts: readonly (readonly [string, (key: string) => string, number])[] = [
    ['cadre.config.yaml', (key) => `a: 1\n${key}:\n  polluted: yes\n`, 2],
    ['cadre.config.yaml', (key) => `agents:\n  x:\n    ${key}: { polluted: true }\n`, 3],
    ['cadre.config.yaml', (key) => `a: &a\n  ${key}: { polluted: true }\nb: *a\n`, 2],
    ['cadre.config.yaml', (key) => `list:\n  - ${key}: { polluted: true }\n`, 2],
    ['cadre.config.json', (key) => `{\n"${key}": { "polluted": true } }`, 2],
    ['cadre.config.jsonc', (key) => `{ "agents":\n { "x": { "${key}": { "polluted": true } } } }`, 2],
    ['cadre.config.json', (key) => `{ "a": [\n { "\\u005f${key.slice(1)}": 1, "${key}": 1 } ] }`, 2],
    ['cadre.config.toml', (key) => `a = 1\n[${key}]\npolluted = true\n`, 2],
    ['cadre.config.toml', (key) => `[agents.x]\n${key}.polluted = true\n`, 2],
    ['cadre.config.toml', (key) => `a = 1\nb = { ${key} = { polluted = true } }\n`, 2],
    ['cadre.config.toml', (key) => `[[list]]\n[[list]]\n"${key}" = 1\n`, 3],
  ];
  const cases = keys.flatMap((key) => texts.map(([name, text, line]) => [key, name, text(key), line] as const));
  test.for(cases)('%s in %s %j is refused', async ([key, name, text, line]) => {
    const file = projectFile(name, text);
    const { problems } = await failure();
    expect(problems[0]).toMatchObject({ file, line });
    expect(problems[0]?.message).toMatch(
      name.includes('json') && text.includes('005f') ? /refused|given twice/ : `"${key}" is refused`,
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test.for(keys)('%s in flags, variables and defaults is refused', async (key) => {
    const nested = JSON.parse(`{ "${key}": { "polluted": true } }`);
    for (const flags of [nested, { agents: nested }, { [`agents.${key}.polluted`]: true }]) {
      expect((await failure({ flags })).problems[0]?.message).toContain(`"${key}" is refused`);
    }
    const environment = { CADRE_AGENTS: JSON.stringify(nested) };
    expect((await failure({ environment })).problems).toMatchObject([
      { path: `agents.${key}`, source: 'environment variable CADRE_AGENTS' },
    ]);
    await expect(failure({ defaults: { agents: nested } })).rejects.toThrow(TypeError);
    await expect(failure({ profiles: { x: nested } })).rejects.toThrow(TypeError);
    expect(Reflect.get({}, 'polluted')).toBe(undefined);
  });
});

describe('texts that grow or nest', () => {
  // `yaml.parse` with its own bound lifted makes ten to the ninth values of this text.
  test('an alias bomb is refused after a hundred aliases', async () => {
    const lines = ['l0: &l0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 10; level++) {
      lines.push(`l${level}: &l${level} [${Array.from({ length: 10 }, () => `*l${level - 1}`).join(', ')}]`);
    }
    const file = projectFile('cadre.config.yaml', lines.join('\n'));
    expect((await failure()).problems).toMatchObject([{ file, message: expect.stringContaining('aliases') }]);
  });

  test('an alias of something large is refused by the values it repeats', async () => {
    const big = `[${Array.from({ length: 9_000 }, (_, index) => index).join(',')}]`;
    projectFile('cadre.config.yaml', `a: &a ${big}\nb: *a\nc: *a\n`);
    expect((await failure()).message).toContain('repeat more than 10000 values');
  });

  test('an alias of what it stands in is refused', async () => {
    projectFile('cadre.config.yaml', 'a: &a\n  b: *a\n');
    expect((await failure()).message).toMatch(/nested deeper|aliases/);
  });

  const deep = 20_000;
  test.for([
    ['cadre.config.yaml', `a: ${'['.repeat(deep)}${']'.repeat(deep)}`],
    ['cadre.config.yaml', `${'- '.repeat(deep)}x`],
    ['cadre.config.json', `{"a": ${'['.repeat(deep)}${']'.repeat(deep)}}`],
    ['cadre.config.json', `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`],
    ['cadre.config.toml', `a = ${'['.repeat(deep)}${']'.repeat(deep)}`],
    ['cadre.config.toml', `${'a.'.repeat(deep)}a = 1`],
    ['cadre.config.yaml', `a: ${'['.repeat(70)}${']'.repeat(70)}`],
    ['cadre.config.json', `{"a": ${'['.repeat(70)}${']'.repeat(70)}}`],
    ['cadre.config.toml', `a = ${'['.repeat(70)}${']'.repeat(70)}`],
  ] as const)('a nesting in %s is a problem, not a crash', async ([name, text]) => {
    const file = projectFile(name, text);
    const { problems } = await failure();
    expect(problems[0]).toMatchObject({ file });
  });

  test('a deep variable and a deep flag are problems too', async () => {
    const text = `{"a": ${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
    expect((await failure({ environment: { CADRE_AGENTS: text } })).message).toContain('nested deeper');
    expect((await failure({ flags: { agents: JSON.parse(text) } })).message).toContain('nested deeper');
  });
});
