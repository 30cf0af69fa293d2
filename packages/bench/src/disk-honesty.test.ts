import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspectDisk, judgeDisk } from './disk-honesty.ts';
import { findCases } from './find-cases.ts';
import { runBenchmarks } from './run.ts';

const samples = fileURLToPath(new URL('../test/durable-cases', import.meta.url));
const program = pathToFileURL(fileURLToPath(new URL('../dist/index.js', import.meta.url))).href;
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cadre-bench-disk-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const isMissing = (command: string) => spawnSync(command, ['--version']).status !== 0;
const skipWithout = (missing: boolean) => missing && process.env.CADRE_REQUIRE_SERVICES !== '1';
const memoryFolder = '/dev/shm';
const tmpfsMissing = !existsSync(memoryFolder) || statfsSync(memoryFolder).type !== 0x01021994;

describe('judgeDisk', () => {
  test.for([
    { what: 'a disk', syncNs: 200_000, doubt: undefined },
    { what: 'a fast device with protected memory', syncNs: 12_000, doubt: undefined },
    { what: 'a sync that only enters the kernel', syncNs: 900, doubt: 'fdatasync of 4 KiB takes 0.9 µs' },
  ])('thinks $doubt of $what', ({ syncNs, doubt }) => {
    expect(judgeDisk(...operationsOf({ syncNs })).doubt).toEqual(
      doubt === undefined ? undefined : expect.stringContaining(doubt),
    );
  });

  test('notices that only one of the two syncs does nothing', () => {
    expect(judgeDisk(...operationsOf({ syncNs: 200_000, fsyncNs: 800 })).doubt).toContain('fsync of 4 KiB');
  });

  test('measures by its own writes where every call into the kernel is slow', () => {
    // Naive version that fails here: 5 µs whatever the machine.
    expect(judgeDisk(...operationsOf({ syncNs: 9000, writeNs: 8000 })).doubt).toContain('so the sync does nothing');
  });

  test('is not misled by a few writes that had to wait', () => {
    expect(judgeDisk(...operationsOf({ syncNs: 12_000, spikes: true })).doubt).toBeUndefined();
  });

  test('knows file systems in memory and eatmydata by name, however slow they are', () => {
    expect(judgeDisk(...operationsOf({ syncNs: 1e6, fileSystemType: 0x01021994 })).doubt).toContain('tmpfs');
    const mappedFiles = '7f00-7f01 r-xp 0 08:01 1 /usr/lib/libeatmydata.so.1.3.0';
    expect(judgeDisk(...operationsOf({ syncNs: 1e6, mappedFiles })).doubt).toContain('/usr/lib/libeatmydata.so.1.3.0');
  });
});

describe('inspectDisk', () => {
  test('leaves no file behind', () => {
    inspectDisk(directory);
    expect(readdirSync(directory)).toEqual([]);
  });

  test.skipIf(skipWithout(isMissing('gcc')))(
    'notices a preloaded library of any name that makes the syncs do nothing',
    () => {
      const shim = compileShim();
      const ask = `import { inspectDisk } from ${JSON.stringify(program)}; console.log(JSON.stringify(inspectDisk('.')));`;
      const probe = (preload?: string) =>
        JSON.parse(
          execFileSync(process.execPath, ['--input-type=module', '-e', ask], {
            cwd: process.cwd(),
            env: preload === undefined ? {} : { LD_PRELOAD: preload },
            encoding: 'utf8',
          }),
        );
      expect(probe(shim).doubt).toMatch(/^(fdatasync|fsync) of 4 KiB takes .* so the sync does nothing\.$/);
      expect(probe().fdatasyncNs).toBeGreaterThan(probe(shim).fdatasyncNs);
    },
  );

  test.skipIf(tmpfsMissing)('notices that the folder is in memory', () => {
    const inMemory = mkdtempSync(join(memoryFolder, 'cadre-bench-'));
    try {
      expect(inspectDisk(inMemory).doubt).toContain('tmpfs');
    } finally {
      rmSync(inMemory, { recursive: true });
    }
  });
});

describe('runBenchmarks', () => {
  test.skipIf(tmpfsMissing)('refuses the durable cases where nothing survives, and measures the others', async () => {
    const workDirectory = mkdtempSync(join(memoryFolder, 'cadre-bench-'));
    const brief = { rounds: 1, batchMs: 1, warmupMs: 1, measureMs: 1 };
    const record = await runBenchmarks({ cases: await findCases(samples), workDirectory, ...brief });
    const [sample] = record.packages;
    expect(sample?.cases.map(({ name }) => name)).toEqual(['sample/volatile']);
    expect(sample?.failures).toEqual([
      {
        case: 'sample/durable',
        code: 'BENCH_DISK_NOT_DURABLE',
        message: expect.stringMatching(/^sample\/durable is about data that survive.*tmpfs/),
      },
    ]);
  });
});

/** What eatmydata does, under a name that nobody looks for. */
function compileShim(): string {
  const source = join(directory, 'shim.c');
  const shim = join(directory, 'libinnocent.so');
  writeFileSync(
    source,
    'int fsync(int f) { (void)f; return 0; }\nint fdatasync(int f) { (void)f; return 0; }\nint sync_file_range(int f, long a, long b, unsigned c) { (void)f; (void)a; (void)b; (void)c; return 0; }\n',
  );
  execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-o', shim, source]);
  rmSync(source);
  return shim;
}

function operationsOf(shape: {
  readonly syncNs: number;
  readonly fsyncNs?: number;
  readonly writeNs?: number;
  readonly spikes?: boolean;
  readonly fileSystemType?: number;
  readonly mappedFiles?: string;
}) {
  const { syncNs, fsyncNs = syncNs, writeNs = 2000, spikes = false, fileSystemType, mappedFiles = '' } = shape;
  let [now, writes] = [0, 0];
  const operations = {
    write() {
      writes += 1;
      now += spikes && writes % 5 === 0 ? 1e6 : writeNs;
    },
    fdatasync() {
      now += syncNs;
    },
    fsync() {
      now += fsyncNs;
    },
    fileSystemType,
    mappedFiles,
  };
  return [operations, { now: () => now }] as const;
}
