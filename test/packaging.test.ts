/**
 * What a stranger gets: each published package packed as it would be published, read by the linters of packages, then
 * installed alone with npm into an empty folder, imported by every door and type-checked. Our own packages come from
 * the tarballs just made, so nothing that isn't published yet is looked for; third parties come from npm as they would.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from './rules/program.ts';
import { type Room, readWorkspace } from './rules/workspace.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const published = readWorkspace(root).rooms.filter((room) => room.manifest.private !== true);
const tarballs = new Map<string, Tarball>();
const folder = await mkdtemp(join(tmpdir(), 'cadre-packaging-'));

interface Tarball {
  readonly path: string;
  readonly files: readonly string[];
}

beforeAll(async () => {
  for (const room of published) tarballs.set(room.manifest.name, await pack(room));
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.for(published.map((room) => [room.manifest.name, room] as const))('%s', ([name, room]) => {
  const consumer = join(folder, 'consumers', name.replace('/', '-'));
  const doors = Object.keys(room.manifest.exports ?? {})
    .filter((door) => !door.endsWith('.json'))
    .map((door) => `${name}${door.slice(1)}`);

  test('packs what was built, its manual and its licence, and nothing else', () => {
    const { files } = tarball(name);
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    const strange = files.filter((file) => !/^(?:LICENSE|README\.md|CHANGELOG\.md|package\.json|dist\/.+)$/.test(file));
    const sources = files.filter((file) => /(?:\.test\.|\/fixtures\/|\/recordings\/|(?<!\.d)\.[cm]?ts$)/.test(file));
    expect([...strange, ...sources]).toEqual([]);
  });

  test('passes publint', async () => {
    const bytes = await readFile(tarball(name).path);
    const { publint } = await import('publint');
    const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  test.skipIf(doors.length === 0)('passes are-the-types-wrong', async () => {
    const args = [tarball(name).path, '--profile', 'esm-only', '--no-definitely-typed', '--no-color', '--no-emoji'];
    const report = await run(join(root, 'node_modules/.bin/attw'), [...args, '--format', 'table'], folder);
    expect(report.match(/OK \(ESM\)/g)).toHaveLength(doors.length);
  });

  test('is installed alone and imported, by every door with its optional peers, and started', {
    timeout: 120_000,
  }, async () => {
    await install(consumer, name);
    const rootDoor = doors.filter((door) => door === name);
    expect(await importDoors(rootDoor, consumer)).toBe(rootDoor.map((door) => `${door} true\n`).join(''));
    const peers = room.manifest.peerDependencies;
    if (peers !== undefined) await install(consumer, name, peers);
    expect(await importDoors(doors, consumer)).toBe(doors.map((door) => `${door} true\n`).join(''));
    for (const program of Object.keys(room.manifest.bin ?? {})) {
      expect(await run(join(consumer, 'node_modules/.bin', program), ['--version'], consumer)).toMatch(/\d+\.\d+\.\d+/);
    }
  });

  test.skipIf(doors.length === 0)('has types that a strict consumer can use', async () => {
    const file = join(consumer, 'consumer.mts');
    const lines = doors.map(
      (door, index) => `import * as door${index} from '${door}';\nexport type Door${index} = typeof door${index};`,
    );
    await writeFile(file, lines.join('\n'));
    const program = createProgram([file], { compilerOptions: { customConditions: [], skipLibCheck: false } });
    const diagnostics = ts.getPreEmitDiagnostics(program);
    const ours = diagnostics.filter((found) => found.file === undefined || isOurs(found.file.fileName));
    expect(ts.formatDiagnostics(ours, formatHost)).toBe('');
    expect(program.getSourceFiles().some((source) => source.fileName.includes('/node_modules/@cadre/'))).toBe(true);
  });
});

const formatHost = {
  getCanonicalFileName: (file: string) => file,
  getCurrentDirectory: () => folder,
  getNewLine: () => '\n',
};

async function pack(room: Room): Promise<Tarball> {
  const args = ['pack', '--json', '--pack-destination', folder];
  const packed = await run(join(root, 'node_modules/.bin/pnpm'), args, join(root, room.folder));
  const { filename, files }: { filename: string; files: { path: string }[] } = JSON.parse(packed);
  return { path: filename, files: files.map((file) => file.path) };
}

function importDoors(doors: readonly string[], consumer: string): Promise<string> {
  const script = `for (const door of ${JSON.stringify(doors)}) console.log(door, Object.keys(await import(door)).length > 0);`;
  return run(process.execPath, ['--input-type=module', '--eval', script], consumer);
}

/** Nothing but the package and what `peers` adds; its dependencies on the rest of ours are met by their tarballs. */
async function install(consumer: string, name: string, peers: Readonly<Record<string, string>> = {}): Promise<void> {
  const others = [...tarballs].filter(([other]) => other !== name);
  await mkdir(consumer, { recursive: true });
  const manifest = {
    private: true,
    dependencies: { ...peers, [name]: `file:${tarball(name).path}` },
    overrides: Object.fromEntries(others.map(([other, { path }]) => [other, `file:${path}`])),
  };
  await writeFile(join(consumer, 'package.json'), JSON.stringify(manifest));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], consumer);
}

/** What the program prints; a failure says all that it printed. */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    return (await execute(program, [...args], { cwd, maxBuffer: 64 * 1024 ** 2 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed in ${cwd}:\n${stdout}${stderr}`, { cause: error });
  }
}

function tarball(name: string): Tarball {
  const found = tarballs.get(name);
  if (found === undefined) throw new Error(`${name} was not packed`);
  return found;
}

function isOurs(file: string): boolean {
  return file.includes('/node_modules/@cadre/') || file.endsWith('/consumer.mts');
}
