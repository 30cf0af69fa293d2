import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BenchmarkRecord } from './record.ts';
import { readRecord, writeRecord } from './record.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-bench-'));
});
afterAll(() => rm(directory, { recursive: true }));

const record: BenchmarkRecord = {
  format: 'cadre-bench/2',
  createdAt: '2026-01-01T00:00:00.000Z',
  environment: {
    cpu: 'one',
    cores: 2,
    memoryBytes: 1,
    platform: 'linux',
    release: '1',
    architecture: 'x64',
    node: 'v20.19.0',
    v8: '11',
    loadAverage: 0,
    busyShare: 0,
  },
  settings: { rounds: 2, batchMs: 1, warmupMs: 1, measureMs: 1 },
  packages: [
    {
      name: 'sample',
      controls: {
        cpu: {
          question: 'q',
          unit: 'u',
          first: [1, 2.5],
          second: [1e-9, 3],
          selfRatio: { estimate: 1, low: 1, high: 1 },
        },
      },
      cases: [],
      kinds: [],
      failures: [],
      leftOut: [],
    },
  ],
};

describe('writeRecord', () => {
  test('is read back as it was, and leaves no temporary file', async () => {
    const path = join(directory, 'new', 'record.json');
    await writeRecord(path, record);
    expect(await readRecord(path)).toEqual(record);
    expect(await readdir(join(directory, 'new'))).toEqual(['record.json']);
  });

  test('keeps each list of numbers on one line', async () => {
    const path = join(directory, 'lines.json');
    await writeRecord(path, record);
    expect(await readFile(path, 'utf8')).toContain('"first": [1, 2.5],');
  });
});

describe('readRecord', () => {
  test('reads the first format, which knew no other kinds of cases', async () => {
    const stored = fileURLToPath(new URL('../../../benchmarks/baselines', import.meta.url));
    const names = (await readdir(stored)).filter((name) => name.endsWith('.json'));
    for (const name of names) {
      const { format, packages } = await readRecord(join(stored, name));
      expect([format, packages[0]?.name, packages[0]?.cases.length]).toEqual([
        'cadre-bench/2',
        name.replace('.json', ''),
        expect.any(Number),
      ]);
      expect(Array.isArray(packages[0]?.kinds)).toBe(true);
    }
    expect(names.length).toBeGreaterThan(0);
  });

  test.for([
    { content: '{"format": "cadre-bench/1"', rule: 'JSON' },
    { content: '{"format": "cadre-bench/9", "packages": []}', rule: 'another format' },
    { content: '{"format": "cadre-bench/1", "packages": [1]}', rule: 'no packages' },
    { content: 'null', rule: 'no object' },
  ])('refuses $rule', async ({ content }) => {
    const path = join(directory, 'bad.json');
    await writeFile(path, content);
    await expect(readRecord(path)).rejects.toMatchObject({ code: 'BENCH_RECORD_INVALID' });
  });

  test('names the path that is missing', async () => {
    await expect(readRecord(join(directory, 'none.json'))).rejects.toMatchObject({ code: 'BENCH_RECORD_NOT_FOUND' });
  });
});
