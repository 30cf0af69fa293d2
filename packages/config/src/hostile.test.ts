/** What a file, a variable or a flag can hold that was written to do harm. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { extensionOf, payloads, writings } from '../test/pollution.ts';
import { ConfigError } from './errors.ts';
import { loadConfig } from './load.ts';
import type { LoadOptions } from './options.ts';

const schema = z.looseObject({ agents: z.record(z.string(), z.unknown()).optional() });
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cadre-hostile-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

let slowestMs = 0;
afterAll(() => {
  if (process.env.CADRE_SOAK === '1')
    console.log(`the slowest refusal took ${slowestMs.toFixed(0)} ms of processor time`);
});

async function failure(options: Partial<LoadOptions<typeof schema>> = {}): Promise<ConfigError> {
  const start = process.cpuUsage();
  try {
    await loadConfig({ schema, name: 'cadre', cwd: root, topDirectory: root, ...options });
  } catch (error) {
    const { user, system } = process.cpuUsage(start);
    if (options.maxFileBytes === undefined) slowestMs = Math.max(slowestMs, (user + system) / 1_000);
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

/** What a polluted prototype would show. */
function prototypes(): readonly string[] {
  return [Object, Array, Function, String].map(({ prototype }) => Object.getOwnPropertyNames(prototype).sort().join());
}

// With `isUnsafeKey` answering false 34 of these tests fail.
describe('fifty keys that could reach a prototype', () => {
  const before = prototypes();
  afterEach(() => {
    expect(Reflect.get({}, 'polluted')).toBe(undefined);
    expect(prototypes()).toEqual(before);
  });

  const layers = ['user', 'project'] as const;
  const carriers = Object.keys(writings).flatMap((writing) => layers.map((layer) => [writing, layer] as const));
  test.for(carriers)('are refused with their place in %s of the %s file', async ([writing, layer]) => {
    expect(payloads).toHaveLength(50);
    const folder = layer === 'user' ? join(root, 'user') : root;
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${layer === 'user' ? 'config' : 'cadre.config'}.${extensionOf(writing)}`);
    const write = writings[writing];
    for (const { name, json } of payloads) {
      writeFileSync(file, write?.(json) ?? '');
      const { problems } = await failure({ userDirectory: join(root, 'user') });
      expect(problems[0], name).toMatchObject({ file, line: expect.any(Number), column: expect.any(Number) });
      expect(problems[0]?.message, name).toMatch(
        /"(__proto__|constructor|prototype)" is refused|merge keys|a key must be/,
      );
    }
  });

  test('are refused with their name in variables and flags, and as mistakes in defaults and profiles', async () => {
    for (const { name, json } of payloads) {
      const inEnvironment = await failure({ environment: { CADRE_AGENTS: json } });
      expect(inEnvironment.problems[0], name).toMatchObject({ source: 'environment variable CADRE_AGENTS' });
      const payload = JSON.parse(json);
      for (const flags of [payload, { agents: payload }, { 'agents.x': [payload] }]) {
        const { problems } = await failure({ flags });
        expect(problems[0]?.source, name).toMatch(/^flag /);
        expect(problems[0]?.message, name).toContain('is refused');
      }
      await expect(failure({ defaults: payload }), name).rejects.toThrow(/could reach a prototype/);
      await expect(failure({ profiles: { x: payload } }), name).rejects.toThrow(/could reach a prototype/);
    }
  });

  test.for([
    ['toml', '[__proto__]\npolluted = true'],
    ['toml', '[a]\n[a.constructor.prototype]\npolluted = true'],
    ['toml', '[[prototype]]\npolluted = true'],
    ['toml', 'a."__proto__".polluted = true'],
    ['toml', "a.'__proto__'.polluted = true"],
    ['toml', '__proto__.polluted = true'],
    ['toml', 'a = [{ constructor.prototype.polluted = true }]'],
    ['yaml', '? __proto__\n: { polluted: true }'],
    ['yaml', "'__proto__': { polluted: true }"],
    ['yaml', '? |-\n  __proto__\n: { polluted: true }'],
    ['yaml', 'a: &k __proto__\n*k : { polluted: true }'],
    ['yaml', '!!map { __proto__: { polluted: true } }'],
    ['yaml', '%YAML 1.1\n---\nx: &x { __proto__: { polluted: true } }\ny: { <<: *x }'],
    ['yaml', 'x: { <<: [{ __proto__: { polluted: true } }] }'],
    ['json', '{"a":1,"__proto__":{"a":2},"__proto__":{"polluted":true}}'],
    ['json', '\ufeff{"__proto__":{"polluted":true}}'],
  ] as const)('are refused in %s however they are written: %j', async ([extension, text]) => {
    const file = projectFile(`cadre.config.${extension}`, text);
    expect((await failure()).problems[0]).toMatchObject({ file, line: expect.any(Number) });
  });

  test('have no variable and no flag of their own', async () => {
    const environment = {
      CADRE___PROTO__: '{"polluted":true}',
      CADRE___PROTO___POLLUTED: 'true',
      CADRE_CONSTRUCTOR_PROTOTYPE_POLLUTED: 'true',
      CADRE_AGENTS___PROTO___POLLUTED: 'true',
    };
    const loaded = await loadConfig({ schema, name: 'cadre', cwd: root, topDirectory: root, environment });
    expect(loaded.value).toEqual({});
    expect(loaded.warnings).toHaveLength(4);
    const flags = ['__proto__', '__proto__.polluted', 'constructor.prototype.polluted', 'agents["__proto__"].polluted'];
    for (const flag of [...flags, 'agents.x.prototype', '["constructor"]["prototype"]["polluted"]']) {
      expect((await failure({ flags: { [flag]: true } })).problems).toMatchObject([{ source: `flag ${flag}` }]);
    }
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

  const deep = 100_000;
  test.for([
    ['yaml', `a: ${'['.repeat(deep)}${']'.repeat(deep)}`],
    ['yaml', `a: ${'['.repeat(deep)}`],
    ['yaml', `${'- '.repeat(deep)}x`],
    ['yaml', `${'? '.repeat(deep)}x`],
    ['yaml', `${'{a: '.repeat(deep)}1${'}'.repeat(deep)}`],
    ['yaml', Array.from({ length: 1_400 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')],
    ['json', `{"a": ${'['.repeat(deep)}${']'.repeat(deep)}}`],
    ['json', `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`],
    ['json', `{"a": ${'['.repeat(deep)}`],
    ['toml', `a = ${'['.repeat(deep)}${']'.repeat(deep)}`],
    ['toml', `${'a.'.repeat(deep)}a = 1`],
    ['toml', `[${'a.'.repeat(deep)}a]`],
    ['toml', `a = ${'{a='.repeat(deep)}1${'}'.repeat(deep)}`],
    // Each of these took the complete YAML parser, or a search for lines from the start, more than 20 seconds.
    ['yaml', 'a: 1\n'.repeat(50_000)],
    ['yaml', `x: &x 1\n${Array.from({ length: 60_000 }, (_, index) => `k${index}: *x`).join('\n')}`],
    ['json', `{${Array.from({ length: 50_000 }, () => '"a":1').join(',')}}`],
    ['json', `{${'a '.repeat(200_000)}}`],
    ['json', `{"x":[${Array.from({ length: 60_000 }, () => '{"__proto__":1}').join(',')}]}`],
    ['toml', 'a = 1\n'.repeat(50_000)],
    ['yaml', 'a: b: c\n'.repeat(50_000)],
    ['yaml', '!x a\n@b\n'.repeat(50_000)],
    ['yaml', 'x'.repeat(10_000_000)],
    ['json', '['.repeat(10_000_000)],
    ['toml', 'a = "'.padEnd(10_000_000, 'x')],
  ] as const)('a large or deep text in %s is a problem with its place, not a crash', async ([extension, text]) => {
    const file = projectFile(`cadre.config.${extension}`, text);
    // As it is refused by default, and where its size alone is allowed.
    for (const options of [{}, { maxFileBytes: 1024 * 1024 }]) {
      const error = await failure(options);
      expect(error.problems[0]).toMatchObject({ file });
      expect(error.problems.length).toBeLessThanOrEqual(100);
      expect(error.message.length).toBeLessThan(100_000);
    }
  });

  test('more problems than anyone reads are counted', async () => {
    projectFile('cadre.config.yaml', 'a: 1\n'.repeat(5_000));
    const { problems, omitted, message } = await failure();
    expect([problems.length, omitted]).toEqual([100, 4_899]);
    expect(message).toMatch(/^4999 problems in the configuration:\n.*\n {2}and 4899 more$/s);
  });

  const nestings: readonly (readonly [string, (levels: number) => string])[] = [
    ['yaml', (levels) => `a: ${'['.repeat(levels - 1)}1${']'.repeat(levels - 1)}`],
    ['yaml', (levels) => `${'{a: '.repeat(levels)}1${'}'.repeat(levels)}`],
    ['yaml', (levels) => `a: !!seq\n ${'- '.repeat(levels - 1)}1`],
    [
      'yaml',
      (levels) =>
        Array.from({ length: levels }, (_, level) => `${' '.repeat(level)}a:`)
          .join('\n')
          .concat(` |\n${' '.repeat(levels + 8)}x\n`),
    ],
    ['yaml', (levels) => `${Array.from({ length: levels }, (_, level) => `${' '.repeat(level)}a:`).join('\n')} 1`],
    ['json', (levels) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`],
    ['toml', (levels) => `a = ${'['.repeat(levels - 1)}1${']'.repeat(levels - 1)}`],
    ['toml', (levels) => `${'a.'.repeat(levels - 1)}a = 1`],
  ];
  test.for(nestings)('as deep as maxDepth is taken in %s, one level more is not', async ([extension, nest]) => {
    projectFile(`cadre.config.${extension}`, nest(64));
    const any = z.looseObject({});
    const loaded = await loadConfig({ schema: any, name: 'cadre', cwd: root, topDirectory: root });
    expect(JSON.stringify(loaded.value)).toMatch(/[1x]/);
    projectFile(`cadre.config.${extension}`, nest(65));
    expect((await failure()).message).toMatch(/nested deeper|excessively nested/);
  });

  test('a deep variable and a deep flag are problems too', async () => {
    const text = `{"a": ${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
    expect((await failure({ environment: { CADRE_AGENTS: text } })).message).toContain('nested deeper');
    expect((await failure({ flags: { agents: JSON.parse(text) } })).message).toContain('nested deeper');
  });
});
