import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { createCache } from './cache.ts';
import { type DiskStoreOptions, openDiskStore, openSecretFile } from './disk.ts';
import { temporaryPrefix } from './disk-scan.ts';
import { storeContract } from './testing.ts';

const run = promisify(execFile);
const secrets = [Buffer.alloc(32, 7)];
const directories: string[] = [];

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
  directories.push(directory);
  return directory;
}

async function openCache(options: DiskStoreOptions) {
  return createCache({ stores: [await openDiskStore(options)], secrets, clock: options.clock ?? Date });
}

function entryFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}

function program(name: string): string {
  return fileURLToPath(new URL(`../test/${name}`, import.meta.url));
}

afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true });
});

describe('openDiskStore', () => {
  storeContract({
    test,
    open: async () => openDiskStore({ directory: await newDirectory(), maxBytes: 2_000_000, maxEntryBytes: 100_000 }),
  });

  test('rejects when the directory cannot be made', async () => {
    const file = join(await newDirectory(), 'file');
    writeFileSync(file, '');
    await expect(openDiskStore({ directory: join(file, 'cache') })).rejects.toMatchObject({
      code: 'CACHE_STORE_UNAVAILABLE',
      operation: 'open',
    });
  });

  test.for([
    [{ directory: '' }, 'directory'],
    [{ directory: 'x', maxBytes: 0 }, 'maxBytes'],
    [{ directory: 'x', maxBytes: 1.5 }, 'maxBytes'],
    [{ directory: 'x', maxEntryBytes: -1 }, 'maxEntryBytes'],
  ] as const)('refuses %o, naming %s', async ([options, name]) => {
    await expect(openDiskStore(options)).rejects.toThrow(name);
  });

  test('removes, counts and never believes files with a bit flipped', async () => {
    const directory = await newDirectory();
    await using cache = await openCache({ directory });
    const count = 300;
    for (let index = 0; index < count; index += 1)
      await cache.set(`key ${index}`, { index, text: 'text'.repeat(index) });
    for (const [index, path] of entryFiles(directory).entries()) {
      const bytes = readFileSync(path);
      const at = (index * 7_919) % bytes.byteLength;
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (index % 8)), at);
      writeFileSync(path, bytes);
    }
    for (let index = 0; index < count; index += 1) expect(await cache.get(`key ${index}`)).toBeUndefined();
    const [tier] = cache.stats().tiers;
    expect(Object.values(tier?.rejections ?? {}).reduce((sum, rejected) => sum + rejected)).toBe(count);
    expect(tier).toMatchObject({ hits: 0, misses: count, errors: 0 });
    // These may be good to another process, which has a newer secret or version.
    const { secret = 0, version = 0 } = tier?.rejections ?? {};
    expect(entryFiles(directory)).toHaveLength(secret + version);
    expect(tier?.entries).toBe(secret + version);
  });

  test.for<[string, (path: string, other: string) => void]>([
    ['emptied', (path) => writeFileSync(path, '')],
    ['cut', (path) => writeFileSync(path, readFileSync(path).subarray(0, -1))],
    ['filled with zeros', (path) => writeFileSync(path, Buffer.alloc(statSync(path).size))],
    ['replaced by another entry', (path, other) => writeFileSync(path, readFileSync(other))],
    ['grown beyond the largest entry', (path) => writeFileSync(path, Buffer.alloc(70_000))],
  ])('computes again what was %s, and keeps it', async ([, damage]) => {
    const directory = await newDirectory();
    await using cache = await openCache({ directory, maxEntryBytes: 60_000 });
    await cache.set('a', 'value of a');
    const [pathOfA = ''] = entryFiles(directory);
    await cache.set('b', 'value of b');
    const pathOfB = entryFiles(directory).find((path) => path !== pathOfA) ?? '';
    damage(pathOfA, pathOfB);
    expect(await cache.getOrSet('a', () => 'computed again')).toBe('computed again');
    expect(await cache.get('a')).toBe('computed again');
    expect(await cache.get('b')).toBe('value of b');
    const rejections = cache.stats().tiers[0]?.rejections ?? {};
    expect(Object.values<number>(rejections).reduce((sum, count) => sum + count)).toBe(1);
  });

  test.for<[string, (path: string) => void]>([
    ['a directory', (path) => mkdirSync(path)],
    ['a pipe nobody writes to', (path) => execFileSync('mkfifo', [path])],
    ['a link to itself', (path) => symlinkSync(path, path)],
  ])('does not stumble over %s in the place of an entry', async ([, obstruct]) => {
    const directory = await newDirectory();
    await using cache = await openCache({ directory });
    await cache.set('key', 'value');
    const [path = ''] = entryFiles(directory);
    await cache.delete('key');
    obstruct(path);
    expect(await cache.getOrSet('key', () => 'computed')).toBe('computed');
    expect(cache.stats().tiers[0]?.errors).toBeGreaterThan(0);
  });

  test('gives back entries too large to be read synchronously', async () => {
    await using cache = await openCache({ directory: await newDirectory() });
    const value = Buffer.alloc(3_000_000, 'incompressible?');
    const large = { parts: Array.from({ length: 400_000 }, (_, index) => (index * 2_654_435_761) % 4_294_967_296) };
    await cache.set('bytes', value);
    await cache.set('parts', large);
    expect(value.equals((await cache.get<Buffer>('bytes')) ?? Buffer.alloc(0))).toBe(true);
    expect(JSON.stringify(await cache.get('parts'))).toBe(JSON.stringify(large));
    expect(cache.stats().tiers[0]?.bytes).toBeGreaterThan(1_500_000);
  });

  test('counts every byte through overwriting, deleting, expiry, eviction and damage', async () => {
    const directory = await newDirectory();
    const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
    const store = await openDiskStore({ directory, maxBytes: 60_000, clock });
    let seed = 4_711;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 4_294_967_296) * below);
    };
    for (let step = 0; step < 1_500; step += 1) {
      const key = `key ${random(40)}`;
      const action = random(10);
      clock.nowMs += 1_000;
      if (action < 6) {
        const expiresAtMs = random(3) === 0 ? clock.nowMs + 20_000 : Infinity;
        await store.set('n', key, { bytes: Buffer.alloc(random(4_000)), expiresAtMs });
      } else if (action < 8) await store.delete('n', key);
      else await store.get('n', key);
      const sizes = entryFiles(directory).map((path) => statSync(path).size);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect({ step, bytes: store.usage().bytes, entries: store.usage().entries }).toEqual({
        step,
        bytes: total,
        entries: sizes.length,
      });
      expect(total).toBeLessThanOrEqual(60_000);
    }
    const { evictions, expirations } = store.usage();
    expect(evictions).toBeGreaterThan(10);
    expect(expirations).toBeGreaterThan(10);
    await store.close();
    const reopened = await openDiskStore({ directory, maxBytes: 60_000, clock: { now: () => 0 } });
    await reopened.settled();
    expect(reopened.usage()).toMatchObject({ bytes: store.usage().bytes, entries: store.usage().entries });
    await reopened.close();
  });

  test('evicts what was read longest ago, not what was written longest ago', async () => {
    const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
    const store = await openDiskStore({ directory: await newDirectory(), maxBytes: 10_000, clock });
    for (const key of ['a', 'b', 'c']) {
      await store.set('n', key, { bytes: Buffer.alloc(3_000), expiresAtMs: Infinity });
      clock.nowMs += 120_000;
    }
    await store.get('n', 'a');
    clock.nowMs += 120_000;
    await store.set('n', 'd', { bytes: Buffer.alloc(3_000), expiresAtMs: Infinity });
    expect(await store.get('n', 'b')).toBeUndefined();
    for (const key of ['a', 'c', 'd']) expect(await store.get('n', key)).toBeDefined();
    await store.close();
  });

  test('removes what expired, and what dead processes left half written, when it is opened', async () => {
    const directory = await newDirectory();
    const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
    const store = await openDiskStore({ directory, clock });
    await store.set('n', 'short', { bytes: Buffer.from('x'), expiresAtMs: clock.nowMs + 1_000 });
    await store.set('n', 'long', { bytes: Buffer.from('x'), expiresAtMs: Infinity });
    await store.close();
    const pid = idOfDeadProcess();
    const dead = join(directory, 'tmp', `${temporaryPrefix().replace(`${process.pid}`, `${pid}`)}1`);
    const alive = join(directory, 'tmp', `${temporaryPrefix()}1`);
    const elsewhere = join(directory, 'tmp', `0000000000000000-${pid}-1`);
    for (const path of [dead, alive, elsewhere]) writeFileSync(path, 'half');
    clock.nowMs += 2_000;
    const reopened = await openDiskStore({ directory, clock });
    await reopened.settled();
    expect([dead, alive, elsewhere].map(existsSync), hostname()).toEqual([false, true, true]);
    expect(reopened.usage()).toMatchObject({ entries: 1, expirations: 1 });
    await reopened.close();
  });

  test('removes thousands of files and folders of processes that are gone, and lets others have their turn', async () => {
    const directory = await newDirectory();
    const prefix = temporaryPrefix().replace(`${process.pid}`, idOfDeadProcess());
    mkdirSync(join(directory, 'tmp'));
    mkdirSync(join(directory, 'leases'));
    for (let index = 0; index < 4_000; index += 1) {
      writeFileSync(join(directory, 'tmp', `${prefix}file-${index}`), 'half');
      if (index % 4 > 0) continue;
      mkdirSync(join(directory, 'tmp', `${prefix}folder-${index}`));
      const lease = join(directory, 'leases', `${'0'.repeat(60)}${1_000 + index}.${'0'.repeat(16)}`);
      mkdirSync(lease);
      writeFileSync(join(lease, `${prefix}0-30000-${index}`), '');
    }
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 0);
    const store = await openDiskStore({ directory });
    await store.settled();
    clearInterval(counting);
    expect([readdirSync(join(directory, 'tmp')), readdirSync(join(directory, 'leases'))]).toEqual([[], []]);
    expect(turns).toBeGreaterThan(10);
    await store.close();
  });

  test('is shared by processes, none of which ever sees a wrong value', async () => {
    const directory = await newDirectory();
    const outputs = await Promise.all(
      ['one', 'two', 'three'].map((name) =>
        run(process.execPath, [program('share-directory.mjs'), directory, name, '600']),
      ),
    );
    for (const { stdout } of outputs) {
      const seen = JSON.parse(stdout);
      expect(seen).toMatchObject({
        wrong: 0,
        reported: [],
        rejections: { truncated: 0, version: 0, secret: 0, seal: 0, undecodable: 0 },
      });
      expect(seen.hits).toBeGreaterThan(0);
    }
    expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
  });

  // Written by `writeSync(file, bytes)` without a look at the count, a file of 16 KiB took the place of the older value.
  test.for([
    ['written synchronously', '16', '100000'],
    ['written through the thread pool', '1024', '3000000'],
  ])(
    'keeps the older entry and returns the value when the disk takes no more, %s',
    async ([, limitKib, byteLength]) => {
      const directory = await newDirectory();
      const script = `ulimit -f ${limitKib}; exec "${process.execPath}" "${program('fill-disk.mjs')}" "${directory}" ${byteLength}`;
      const { stdout } = await run('bash', ['-c', script]);
      expect(JSON.parse(stdout)).toEqual({
        computed: true,
        code: 'CACHE_STORE_UNAVAILABLE',
        cause: 'EFBIG',
        errors: 2,
        older: 'an older, smaller value',
        entries: 1,
      });
      expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
    },
  );
});

describe('openSecretFile', () => {
  test('makes 32 bytes readable by the owner alone, and finds them again', async () => {
    const path = join(await newDirectory(), 'new', 'secret');
    const secret = await openSecretFile(path);
    expect(secret.byteLength).toBe(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await openSecretFile(path)).toEqual(secret);
    expect(readdirSync(join(path, '..'))).toEqual(['secret']);
  });

  test('gives every process that races to make it the same secret', async () => {
    const path = join(await newDirectory(), 'secret');
    const racing = Array.from({ length: 6 }, () => run(process.execPath, [program('make-secret.mjs'), path]));
    const secrets = (await Promise.all([...racing])).map(({ stdout }) => stdout.trim());
    expect(new Set(secrets).size).toBe(1);
    expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  test('gives every caller that races to make it the same secret', async () => {
    const path = join(await newDirectory(), 'secret');
    const racing = await Promise.all(Array.from({ length: 50 }, () => openSecretFile(path)));
    expect(new Set(racing.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1);
  });

  test('refuses a file that others can read, and says what to do', async () => {
    const path = join(await newDirectory(), 'secret');
    await openSecretFile(path);
    chmodSync(path, 0o640);
    await expect(openSecretFile(path)).rejects.toThrow(/0640.*chmod 600/);
    await expect(openSecretFile(path)).rejects.toMatchObject({ code: 'CACHE_SECRET_UNSAFE', path });
  });

  test.for([[0], [31], [33]] as const)('refuses a file of %i bytes', async ([byteLength]) => {
    const path = join(await newDirectory(), 'secret');
    writeFileSync(path, Buffer.alloc(byteLength), { mode: 0o600 });
    await expect(openSecretFile(path)).rejects.toMatchObject({ code: 'CACHE_SECRET_INVALID' });
  });
});

/** The id of a process that has ended. */
function idOfDeadProcess(): string {
  return execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
}
