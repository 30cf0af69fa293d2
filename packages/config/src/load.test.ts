import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { loadConfig } from './load.ts';
import type { LoadOptions } from './options.ts';
import { profiles } from './profiles/profiles.ts';

const schema = z.strictObject({
  profile: z.string().optional(),
  concurrency: z.number().int().min(1),
  timeoutMs: z.number(),
  graceMs: z.number().default(2_000),
  verbose: z.boolean().optional(),
  label: z.string().optional(),
  mode: z.enum(['fast', 'careful']).optional(),
  command: z.array(z.string()).optional(),
  retry: z.strictObject({ attempts: z.number() }).optional(),
  cache: z.strictObject({ memoryMaxBytes: z.number(), diskMaxBytes: z.number() }).nullable(),
  agents: z.record(z.string(), z.unknown()).optional(),
});
const defaults = { concurrency: 1, timeoutMs: 1_000, cache: { memoryMaxBytes: 1, diskMaxBytes: 2 } };

let root: string;
let cwd: string;
let userDirectory: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cadre-config-'));
  cwd = join(root, 'project', 'inner');
  userDirectory = join(root, 'user');
  mkdirSync(cwd, { recursive: true });
  mkdirSync(userDirectory);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function load(options: Partial<LoadOptions<typeof schema>> = {}) {
  return loadConfig({ schema, name: 'cadre', cwd, topDirectory: root, userDirectory, defaults, ...options });
}

function projectFile(name: string, text: string | Uint8Array): string {
  const file = join(root, 'project', name);
  writeFileSync(file, text);
  return file;
}

async function failure(promise: Promise<unknown>): Promise<ConfigError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: error });
  return error;
}

describe('loadConfig', () => {
  // Each row adds a layer above the one before and expects it to win.
  const layers = ['defaults', 'profile', 'user', 'project', 'environment', 'flags'] as const;
  test.for(layers.map((name, index) => [name, index] as const))(
    'lets %s cover every layer below it',
    async ([, top]) => {
      if (top >= 2) writeFileSync(join(userDirectory, 'config.json'), '{"concurrency": 13}');
      if (top >= 3) projectFile('cadre.config.toml', 'concurrency = 14');
      const loaded = await load({
        defaults: { ...defaults, concurrency: 11 },
        profiles: { fast: { concurrency: 12 } },
        ...(top >= 1 ? { profile: 'fast' } : {}),
        environment: top >= 4 ? { CADRE_CONCURRENCY: '15' } : {},
        flags: { concurrency: top >= 5 ? 16 : undefined },
      });
      expect(loaded.value.concurrency).toBe(11 + top);
      expect(loaded.explain('concurrency').setBy?.layer).toBe(layers[top]);
      expect(loaded.explain('concurrency').hid.map(({ value }) => value)).toEqual(
        Array.from({ length: top }, (_, index) => 10 + top - index),
      );
      expect(loaded.layers.map(({ name, present }) => (present ? name : ''))).toEqual(
        layers.map((name, index) => (index <= top ? name : '')),
      );
    },
  );

  test('merges objects member by member and replaces lists', async () => {
    writeFileSync(join(userDirectory, 'config.yaml'), 'command: [a, b]\ncache: { diskMaxBytes: 5 }\n');
    projectFile('cadre.config.yaml', 'command: [c]\n');
    const { value } = await load();
    expect(value).toMatchObject({ command: ['c'], cache: { memoryMaxBytes: 1, diskMaxBytes: 5 } });
  });

  test('freezes the value deeply and leaves what it was given alone', async () => {
    const own = { ...defaults, command: ['a'] };
    const { value } = await load({ defaults: own });
    expect(Object.isFrozen(value) && Object.isFrozen(value.cache) && Object.isFrozen(value.command)).toBe(true);
    expect(Object.isFrozen(own.cache) || Object.isFrozen(own.command)).toBe(false);
  });

  test('awaits a schema that validates asynchronously', async () => {
    const slow = schema.refine(async (value) => value.concurrency < 5, { path: ['concurrency'], message: 'too many' });
    const error = await failure(
      loadConfig({ schema: slow, name: 'cadre', cwd, topDirectory: root, defaults, flags: { concurrency: 9 } }),
    );
    expect(error.problems).toMatchObject([{ path: 'concurrency', message: 'too many', source: 'flag concurrency' }]);
  });

  test('takes the nearest project file and none above topDirectory', async () => {
    writeFileSync(join(root, 'cadre.config.json'), '{"concurrency": 7}');
    expect((await load()).value.concurrency).toBe(7);
    expect((await load({ topDirectory: join(root, 'project') })).value.concurrency).toBe(1);
    projectFile('cadre.config.yml', 'concurrency: 8');
    expect((await load()).value.concurrency).toBe(8);
  });

  test('reads the file it is told to and says when it is not there', async () => {
    projectFile('other.jsonc', '{ // why\n "concurrency": 3, }');
    expect((await load({ projectFile: '../other.jsonc' })).value.concurrency).toBe(3);
    const error = await failure(load({ projectFile: 'gone.yaml' }));
    expect(error).toMatchObject({ code: 'CONFIG_UNREADABLE', cause: { code: 'ENOENT' } });
  });

  test('names both files when two candidates stand in one folder', async () => {
    const files = [projectFile('cadre.config.yaml', ''), projectFile('cadre.config.toml', '')];
    const error = await failure(load());
    expect(error.code).toBe('CONFIG_AMBIGUOUS_FILE');
    for (const file of files) expect(error.message).toContain(file);
  });

  test('treats an empty file as a file that sets nothing', async () => {
    for (const name of ['cadre.config.yaml', 'cadre.config.toml', 'cadre.config.json']) {
      const file = projectFile(name, name.endsWith('json') ? '' : '# nothing\n');
      expect((await load()).value.concurrency).toBe(1);
      rmSync(file);
    }
  });

  test('lets any layer pick the profile, and the option above them all', async () => {
    projectFile('cadre.config.yaml', 'profile: ci\n');
    const own = { profiles: { ci: { concurrency: 20 }, big: { concurrency: 30 } } };
    expect(await load(own)).toMatchObject({ profile: 'ci', value: { concurrency: 20 } });
    expect(await load({ ...own, environment: { CADRE_PROFILE: 'big' } })).toMatchObject({ value: { concurrency: 30 } });
    expect(await load({ ...own, profile: 'big' })).toMatchObject({ profile: 'big', value: { concurrency: 30 } });
  });

  test('suggests the profile that was meant', async () => {
    const file = projectFile('cadre.config.yaml', 'profile: balancd\n');
    const error = await failure(load({ profiles: { ...profiles } }));
    expect(error.problems).toMatchObject([{ path: 'profile', file, line: 1, suggestion: 'did you mean "balanced"?' }]);
  });

  test.for([
    [{ name: 'a b' }, 'Expected `name`'],
    [{ profile: 'none' }, 'Expected `profile`'],
    [{ maxFileBytes: 0 }, 'Expected `maxFileBytes`'],
    [{ defaults: { at: new Date(0) } }, '`at` must be plain data'],
    [{ defaults: { a: { bC: 1 }, aB: { c: 1 } } }, 'CADRE_A_B_C'],
  ] as const)('refuses the option %j', async ([options, message]) => {
    await expect(load(options)).rejects.toThrow(message);
  });
});

describe('problems', () => {
  test('come all at once, each with its place and a suggestion', async () => {
    const user = join(userDirectory, 'config.jsonc');
    writeFileSync(user, '{\n  // mine\n  "timeoutMs": "soon"\n}\n');
    const project = projectFile(
      'cadre.config.yaml',
      'concurency: 4\nmode: fats\ncache:\n  memoryMaxBytes: 1\n  diskMaxByte: 2\n',
    );
    const error = await failure(
      load({ environment: { CADRE_VERBOSE: 'yes', CADRE_CONCURRENCY: '0' }, flags: { 'retry.attempts': 'x' } }),
    );
    expect(error.code).toBe('CONFIG_INVALID');
    const seen = error.problems.map(({ path, file, line, column, source, suggestion }) => [
      path,
      file === undefined ? source : [file === user ? 'user' : file === project && 'project', line, column].join(':'),
      suggestion,
    ]);
    expect(new Set(seen.map((each) => JSON.stringify(each)))).toEqual(
      new Set(
        [
          ['verbose', 'environment variable CADRE_VERBOSE', undefined],
          ['concurrency', 'environment variable CADRE_CONCURRENCY', undefined],
          ['timeoutMs', 'user:3:16', undefined],
          ['mode', 'project:2:7', 'did you mean "fast"?'],
          ['retry.attempts', 'flag retry.attempts', undefined],
          ['cache.diskMaxByte', 'project:5:3', 'did you mean "diskMaxBytes"?'],
          ['concurency', 'project:1:1', 'did you mean "concurrency"?'],
        ].map((each) => JSON.stringify(each)),
      ),
    );
    for (const { path } of error.problems) expect(error.message).toContain(path);
    expect(error.message).toContain(`${project}:2:7  mode: `);
  });

  test.for([
    ['cadre.config.yaml', 'a: 1\nb: [1,\nc: 2\n', 3],
    ['cadre.config.yaml', 'a: 1\na: 2\n', 2],
    ['cadre.config.yaml', 'a: 1\n<<: { b: 1 }\n', 2],
    ['cadre.config.yaml', 'a: 1\nb: !secret x\n', 2],
    ['cadre.config.yaml', 'a: 1\n---\nb: 1\n', 2],
    ['cadre.config.json', '{\n "a": 1,\n}', 3],
    ['cadre.config.json', '{\n "a": 1, // no\n "b": 1 }', 2],
    ['cadre.config.jsonc', '{\n "a": 1,\n "a": 2 }', 3],
    ['cadre.config.toml', 'a = 1\nb = \n', 2],
    ['cadre.config.toml', 'a = 1\na = 2\n', 2],
    ['cadre.config.yaml', '- a\n', 1],
    ['cadre.config.json', ' 3', 1],
  ] as const)('in %s %j are on line %d', async ([name, text, line]) => {
    const file = projectFile(name, text);
    const { problems } = await failure(load());
    expect(problems[0]).toMatchObject({ file, line });
  });

  test('say that a file is no UTF-8 text, too long, or no file', async () => {
    const file = projectFile('cadre.config.yaml', new Uint8Array([0x61, 0x3a, 0x20, 0xff]));
    expect((await failure(load())).message).toContain('not UTF-8');
    writeFileSync(file, `a: ${'x'.repeat(100)}`);
    expect((await failure(load({ maxFileBytes: 100 }))).message).toContain(
      'is 103 bytes long, over maxFileBytes (100)',
    );
    rmSync(file);
    mkdirSync(file);
    expect((await failure(load())).message).toContain('not a regular file');
  });
});

describe('explain', () => {
  test('prints the setter, its place, and what it hid', async () => {
    const file = projectFile('cadre.config.yaml', 'concurrency: 3\ncache:\n  diskMaxBytes: 9\n');
    const { explain } = await load({
      profiles: { ...profiles },
      profile: 'ci',
      environment: { CADRE_CACHE_DISK_MAX_BYTES: '10' },
    });
    expect(String(explain('concurrency')).replaceAll(file, '<file>')).toMatchInlineSnapshot(`
      "concurrency = 3
        set by <file>:1:14
        hides  2 from profile "ci"
        hides  1 from defaults"
    `);
    expect(String(explain('cache')).replaceAll(file, '<file>')).toMatchInlineSnapshot(`
      "cache.memoryMaxBytes = 33554432
        set by profile "ci"
        hides  1 from defaults
      cache.diskMaxBytes = 10
        set by environment variable CADRE_CACHE_DISK_MAX_BYTES
        hides  9 from <file>:3:17
        hides  536870912 from profile "ci"
        hides  2 from defaults"
    `);
    expect(explain().entries.map(({ path }) => path)).toContain('cache');
  });

  test('tells what comes from the schema, what nothing sets, and what a null covers', async () => {
    const { explain } = await load({ flags: { cache: null } });
    expect(String(explain('timeoutMs'))).toContain('set by defaults');
    expect(explain('label')).toMatchObject({ value: undefined, setBy: undefined, hid: [] });
    const schemaDefault = explain('graceMs');
    expect(schemaDefault).toMatchObject({ value: 2_000, setBy: undefined });
    expect(String(schemaDefault)).toContain('set by the schema');
    expect(explain('cache.diskMaxBytes')).toMatchObject({
      value: undefined,
      setBy: { layer: 'flags', flag: 'cache' },
      hid: [{ value: 2, origin: { layer: 'defaults' } }],
    });
  });

  test('finds an element of a list and a key with a dot', async () => {
    const file = projectFile('cadre.config.yaml', 'command: [a,\n  b]\nagents:\n  "x.y": { z: 1 }\n');
    const { explain } = await load();
    expect(explain('command[1]')).toMatchObject({ value: 'b', setBy: { file, line: 2, column: 3 } });
    expect(explain('agents["x.y"].z')).toMatchObject({
      path: 'agents["x.y"].z',
      value: 1,
      setBy: { line: 4, column: 15 },
    });
    expect(() => explain('a..b')).toThrow(TypeError);
  });
});

describe('environment variables', () => {
  test('are read by the kind of the setting they name', async () => {
    const environment = {
      CADRE_CONCURRENCY: '5',
      CADRE_TIMEOUT_MS: '1e3',
      CADRE_VERBOSE: 'true',
      CADRE_LABEL: '007',
      CADRE_COMMAND: '["x"]',
      CADRE_RETRY: '{"attempts": 4}',
      CADRE_CACHE: '{"memoryMaxBytes": 6, "diskMaxBytes": 7}',
      CADRE_CACHE_DISK_MAX_BYTES: '8',
      PATH: '/bin',
    };
    const { value, warnings, explain } = await load({ environment });
    expect(warnings).toEqual([]);
    expect(value).toMatchObject({
      concurrency: 5,
      timeoutMs: 1_000,
      verbose: true,
      label: '007',
      command: ['x'],
      retry: { attempts: 4 },
      cache: { memoryMaxBytes: 6, diskMaxBytes: 8 },
    });
    expect(explain('cache.memoryMaxBytes').setBy).toMatchObject({ variable: 'CADRE_CACHE' });
    expect(explain('cache.diskMaxBytes').setBy).toMatchObject({ variable: 'CADRE_CACHE_DISK_MAX_BYTES' });
  });

  test('count as unset when empty, unless the setting is text', async () => {
    const { value } = await load({ environment: { CADRE_CONCURRENCY: '', CADRE_LABEL: '' } });
    expect(value).toMatchObject({ concurrency: 1, label: '' });
  });

  test('that name no setting are warned of, not refused', async () => {
    const { warnings } = await load({
      environment: { CADRE_CONCURENCY: '5', CADRE_TASK_ID: 'x' },
      ignoredVariables: ['CADRE_TASK_ID'],
    });
    expect(warnings).toMatchObject([{ variable: 'CADRE_CONCURENCY', suggestion: 'did you mean CADRE_CONCURRENCY?' }]);
  });

  test('work from the defaults alone when the schema cannot describe itself', async () => {
    const bare = { '~standard': { ...schema['~standard'], jsonSchema: undefined } };
    const loaded = await loadConfig({
      schema: { '~standard': { version: 1 as const, vendor: 'own', validate: bare['~standard'].validate } },
      name: 'cadre',
      cwd,
      topDirectory: root,
      defaults,
      environment: { CADRE_CACHE_DISK_MAX_BYTES: '3', CADRE_LABEL: 'x' },
    });
    expect(loaded.value).toMatchObject({ cache: { diskMaxBytes: 3 } });
    expect(loaded.warnings).toMatchObject([{ variable: 'CADRE_LABEL' }]);
  });
});
