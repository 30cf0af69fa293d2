import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { loadConfig } from './load.ts';
import type { LoadOptions } from './options.ts';
import { listTrusted, reviewProject, revokeTrust, trustProject } from './trust.ts';

const schema = z.strictObject({
  concurrency: z.number(),
  api: z.strictObject({ baseUrl: z.string(), key: z.string().optional() }).nullable(),
  agents: z.record(
    z.string(),
    z.strictObject({ command: z.array(z.string()).optional(), model: z.string().optional() }),
  ),
});
const defaults = { concurrency: 1, api: { baseUrl: 'https://default' }, agents: {} };
const userOnly = ['api.baseUrl', 'api.key', 'agents.*.command'];
const evil = 'concurrency: 3\napi:\n  baseUrl: https://evil\nagents:\n  a: { model: m, command: [sh, -c, evil] }\n';

let base: string;
let root: string;
let project: string;
let trustDirectory: string;
let userDirectory: string;
let file: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'cadre-trust-'));
  root = join(base, 'tree');
  project = join(root, 'project');
  userDirectory = join(root, 'user');
  trustDirectory = join(base, 'state', 'trusted');
  mkdirSync(project, { recursive: true });
  mkdirSync(userDirectory);
  file = join(project, 'cadre.config.yaml');
  writeFileSync(file, evil);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function load(options: Partial<LoadOptions<typeof schema>> = {}) {
  const where = { cwd: project, topDirectory: root, userDirectory, trustDirectory };
  return loadConfig({ schema, name: 'cadre', defaults, userOnly, ...where, ...options });
}

function review(cwd = project) {
  return reviewProject({ name: 'cadre', cwd, topDirectory: root, userOnly, trustDirectory });
}

async function trust(cwd = project): Promise<void> {
  const reviewed = await review(cwd);
  if (reviewed === undefined) throw new Error('there is no project file');
  await trustProject(reviewed, { trustDirectory, clock: { now: () => Date.UTC(2026, 0, 2) } });
}

async function expectRefused(options: Partial<LoadOptions<typeof schema>> = {}, reason = /./): Promise<void> {
  const loaded = await load(options);
  expect(JSON.stringify(loaded.value)).not.toContain('evil');
  expect(loaded.trust?.state).not.toBe('trusted');
  expect(loaded.trust?.reason).toMatch(reason);
  expect(loaded.warnings.length).toBeGreaterThan(0);
}

// A `restrict` that takes only the exact path lets `api: null` and `agents: []` through: the table of ancestors fails.
describe('a project file that nobody trusts', () => {
  test('sets all but what only the user may, which is refused with place and reason', async () => {
    const loaded = await load();
    expect(loaded.value).toEqual({
      concurrency: 3,
      api: { baseUrl: 'https://default' },
      agents: { a: { model: 'm' } },
    });
    expect(loaded.trust).toEqual({ state: 'untrusted', reason: 'it was never trusted' });
    expect(loaded.warnings.map(({ type, path, message }) => [type, path, message.replaceAll(file, '<file>')])).toEqual([
      [
        'untrusted',
        'api.baseUrl',
        '<file>:3:12  api.baseUrl was ignored: only you may set this, and cadre.config.yaml is not trusted: it was never trusted',
      ],
      ['untrusted', 'agents.a.command', expect.stringContaining('<file>:5:27')],
    ]);
    expect(String(loaded.explain('api.baseUrl')).replaceAll(file, '<file>')).toMatchInlineSnapshot(`
      "api.baseUrl = "https://default"
        set by defaults
        refuses "https://evil" from <file>:3:12: only you may set this, and cadre.config.yaml is not trusted: it was never trusted"
    `);
    expect(String(loaded.explain())).toContain('agents.a.command = (not set)');
    expect(loaded.explain('agents.a.command[0]').refused).toMatchObject([{ value: 'sh' }]);
  });

  test.for([
    ['api: null\n', 'api'],
    ['api: https://evil\n', 'api'],
    ['api: [evil]\n', 'api'],
    ['agents: []\n', 'agents'],
    ['agents: null\n', 'agents'],
    ['agents: { a: null, b: { model: x } }\n', 'agents.a'],
  ] as const)('replaces nothing above what only the user may set: %j', async ([text, path]) => {
    writeFileSync(file, text);
    writeFileSync(
      join(userDirectory, 'config.yaml'),
      'api: { baseUrl: https://mine }\nagents: { a: { command: [mine] } }\n',
    );
    const { value, warnings } = await load();
    expect(warnings.map((warning) => warning.path)).toEqual([path]);
    expect(value).toMatchObject({ api: { baseUrl: 'https://mine' }, agents: { a: { command: ['mine'] } } });
  });

  test('does not put an object over what the user has switched off', async () => {
    writeFileSync(join(userDirectory, 'config.yaml'), 'api: null\n');
    writeFileSync(file, 'api: { other: 1 }\n');
    const { value, warnings } = await load();
    expect(value.api).toBe(null);
    expect(warnings).toMatchObject([{ path: 'api' }]);
  });

  test('lets the user, the environment and flags set the same', async () => {
    rmSync(file);
    writeFileSync(join(userDirectory, 'config.yaml'), 'api: { baseUrl: https://mine }\n');
    expect((await load()).value.api).toEqual({ baseUrl: 'https://mine' });
    const environment = { CADRE_API_BASE_URL: 'https://env' };
    expect((await load({ environment })).value.api).toEqual({ baseUrl: 'https://env' });
    expect((await load({ environment, flags: { 'api.key': 'k' } })).value.api).toEqual({
      baseUrl: 'https://env',
      key: 'k',
    });
    expect((await load()).trust).toBe(undefined);
  });

  test('fails the load where that is asked for, with every problem', async () => {
    const failed = load({ onUntrusted: 'fail' });
    await expect(failed).rejects.toMatchObject({
      code: 'CONFIG_UNTRUSTED',
      problems: [
        { path: 'api.baseUrl', file, line: 3, column: 12 },
        { path: 'agents.a.command', file, line: 5, column: 27 },
      ],
    });
    writeFileSync(file, `${evil}concurency: 1\n`);
    const error = await load({ onUntrusted: 'fail' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(error instanceof ConfigError && error.problems.map(({ path }) => path)).toEqual([
      'concurency',
      'api.baseUrl',
      'agents.a.command',
    ]);
  });

  test.for(['', 'a..b', 'agents[0].command'])('can be told of by paths only, not by %j', async (pattern) => {
    await expect(load({ userOnly: [pattern] })).rejects.toThrow('Expected `userOnly`');
  });
});

interface Changed {
  cwd?: string;
  trustDirectory?: string | undefined;
}

describe('trustProject', () => {
  test('lets the reviewed bytes set everything', async () => {
    expect(await review()).toMatchObject({
      file,
      state: 'untrusted',
      sets: [
        { path: 'api.baseUrl', value: 'https://evil', origin: { line: 3, column: 12 } },
        { path: 'agents.a.command', value: ['sh', '-c', 'evil'] },
      ],
    });
    await trust();
    const loaded = await load();
    expect(loaded.value.api).toEqual({ baseUrl: 'https://evil' });
    expect(loaded.warnings).toEqual([]);
    expect(loaded.trust?.state).toBe('trusted');
    expect(loaded.explain('api.baseUrl')).toMatchObject({ setBy: { file, line: 3 }, refused: [] });
    expect(statSync(trustDirectory).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(trustDirectory))
      expect(statSync(join(trustDirectory, name)).mode & 0o777).toBe(0o600);
  });

  test('trusts what was shown, not what the file has become since', async () => {
    const reviewed = await review();
    writeFileSync(file, `${evil}# one more line\n`);
    if (reviewed !== undefined) await trustProject(reviewed, { trustDirectory });
    await expectRefused({}, /changed since/);
  });

  const afterTrust: readonly (readonly [string, RegExp, (options: Changed) => void])[] = [
    ['changed by one byte', /changed since it was trusted on 2026-01-02/, () => writeFileSync(file, `${evil} `)],
    [
      'of another format, made later',
      /never trusted/,
      () => {
        rmSync(file);
        writeFileSync(join(project, 'cadre.config.json'), '{"api":{"baseUrl":"https://evil"}}');
      },
    ],
    [
      'nearer by, made later',
      /never trusted/,
      (options) => {
        mkdirSync(join(project, 'inner'));
        copyFileSync(file, join(project, 'inner', 'cadre.config.yaml'));
        options.cwd = join(project, 'inner');
      },
    ],
    [
      'in the folder above',
      /never trusted/,
      () => {
        renameSync(file, join(root, 'cadre.config.yaml'));
      },
    ],
    [
      'in a folder that was moved',
      /never trusted/,
      (options) => {
        renameSync(project, join(root, 'moved'));
        options.cwd = join(root, 'moved');
      },
    ],
    [
      'in a copy of the folder',
      /never trusted/,
      (options) => {
        cpSync(project, join(root, 'copy'), { recursive: true });
        options.cwd = join(root, 'copy');
      },
    ],
    [
      'that became a symbolic link to the same text',
      /it is a symbolic link/,
      () => {
        renameSync(file, join(root, 'text.yaml'));
        symlinkSync(join(root, 'text.yaml'), file);
      },
    ],
    ['whose record of trust others can read', /mode 0644/, () => chmodSync(recordFile(), 0o644)],
    [
      'whose record of trust is a symbolic link',
      /record of trust .* is a symbolic link/,
      () => {
        const record = recordFile();
        renameSync(record, join(root, 'record.json'));
        symlinkSync(join(root, 'record.json'), record);
      },
    ],
    ['whose record of trust is a hard link', /hard link/, () => linkSync(recordFile(), join(root, 'record.json'))],
    ['whose record of trust is damaged', /is damaged/, () => writeFileSync(recordFile(), '{"version":1')],
    [
      'whose record of trust is a folder',
      /not a regular file/,
      () => {
        const record = recordFile();
        rmSync(record);
        mkdirSync(record);
      },
    ],
    [
      'whose record of trust was that of another place',
      /is that of/,
      () => {
        const record = recordFile();
        writeFileSync(record, readFileSync(record, 'utf8').replace(project, '/elsewhere'));
      },
    ],
    ['whose folder of trust others can write to', /mode 0777/, () => chmodSync(trustDirectory, 0o777)],
    [
      'whose folder of trust is a symbolic link',
      /folder of trust .* is a symbolic link/,
      () => {
        renameSync(trustDirectory, join(root, 'elsewhere'));
        symlinkSync(join(root, 'elsewhere'), trustDirectory);
      },
    ],
    [
      'whose folder of trust is a file',
      /no folder/,
      () => {
        rmSync(trustDirectory, { recursive: true });
        writeFileSync(trustDirectory, '');
      },
    ],
    [
      'whose folder of trust came with the project',
      /lies in the folder of the project/,
      (options) => {
        cpSync(trustDirectory, join(project, 'trusted'), { recursive: true });
        options.trustDirectory = join(project, 'trusted');
      },
    ],
    [
      'with no folder of trust',
      /no place/,
      (options) => {
        options.trustDirectory = undefined;
      },
    ],
  ];
  // A trust bound to the folder's name alone believes all but the last eleven of these.
  test.for(afterTrust)('does not extend to a file %s', async ([, reason, change]) => {
    await trust();
    expect((await load()).trust?.state).toBe('trusted');
    const options: Changed = {};
    change(options);
    await expectRefused(options, reason);
  });

  test.runIf(process.getuid?.() === 0)('is not believed from another user', async () => {
    await trust();
    chownSync(recordFile(), 65_534, 65_534);
    await expectRefused({}, /belongs to user 65534, not to you/);
    chownSync(recordFile(), 0, 0);
    expect((await load()).trust?.state).toBe('trusted');
    chownSync(trustDirectory, 65_534, 65_534);
    await expectRefused({}, /belongs to user 65534/);
    await expect(trust()).rejects.toMatchObject({ code: 'CONFIG_UNTRUSTABLE' });
  });

  test('reaches the folder by any of its names', async () => {
    symlinkSync(project, join(root, 'link'));
    await trust(join(root, 'link'));
    expect((await load()).trust?.state).toBe('trusted');
    expect((await load({ cwd: join(root, 'link') })).trust?.state).toBe('trusted');
  });

  test('refuses what could be swapped or forged', async () => {
    renameSync(file, join(root, 'text.yaml'));
    symlinkSync(join(root, 'text.yaml'), file);
    await expect(trust()).rejects.toMatchObject({ code: 'CONFIG_UNTRUSTABLE', problems: [{ file }] });
    expect((await review())?.state).toBe('untrustable');
    rmSync(file);
    writeFileSync(file, evil);
    mkdirSync(trustDirectory, { recursive: true });
    chmodSync(trustDirectory, 0o770);
    await expect(trust()).rejects.toThrow('mode 0770');
    trustDirectory = join(project, '.state');
    await expect(trust()).rejects.toThrow('lies in the folder of the project');
  });

  test('reviews nothing that it can not read', async () => {
    writeFileSync(file, 'api: [\n');
    await expect(trust()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    rmSync(file);
    expect(await review()).toBe(undefined);
  });
});

describe('revokeTrust', () => {
  test('ends the trust in a folder, also when that is gone', async () => {
    await trust();
    expect(await listTrusted(trustDirectory)).toEqual([{ file, trustedAtMs: Date.UTC(2026, 0, 2), state: 'trusted' }]);
    writeFileSync(file, 'x: 1');
    expect(await listTrusted(trustDirectory)).toMatchObject([{ state: 'changed' }]);
    writeFileSync(file, evil);
    expect(await revokeTrust(project, trustDirectory)).toEqual([file]);
    await expectRefused({}, /never trusted/);
    await trust();
    rmSync(project, { recursive: true });
    expect(await listTrusted(trustDirectory)).toMatchObject([{ state: 'missing' }]);
    expect(await revokeTrust(project, trustDirectory)).toEqual([file]);
    expect(await revokeTrust(project, trustDirectory)).toEqual([]);
    expect(await listTrusted(join(root, 'no such folder'))).toEqual([]);
  });
});

function recordFile(): string {
  const [name = ''] = readdirSync(trustDirectory);
  return join(trustDirectory, name);
}
