import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkCase } from './check-case.ts';
import { findCases, loadCase } from './find-cases.ts';
import type { KindRecord } from './kind-records.ts';
import { type PackageRecord, parseRecord } from './record.ts';
import { renderMarkdown } from './report/markdown.ts';
import { renderPackage } from './report/terminal.ts';
import { runBenchmarks } from './run.ts';

const samples = fileURLToPath(new URL('../test/kind-cases', import.meta.url));
let directory: string;
let measured: PackageRecord;
let rendered: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-bench-kinds-'));
  const record = await runBenchmarks({
    cases: await findCases(samples),
    workDirectory: join(directory, 'work'),
    ...{ rounds: 1, batchMs: 1, warmupMs: 20, measureMs: 200 },
  });
  const [entry] = parseRecord(JSON.stringify(record), 'the record').packages;
  if (entry === undefined) throw new TypeError('Nothing was measured.');
  measured = entry;
  rendered = renderPackage(measured) + renderMarkdown(record);
}, 60_000);
afterAll(() => rm(directory, { recursive: true }));

describe('runBenchmarks', () => {
  test('measures every kind of case, and keeps what it found in the record', () => {
    const kinds = measured.kinds.map(({ kind }) => kind).sort();
    expect(kinds).toEqual(wasLoadRefused() ? ['leak', 'memory', 'scenario'] : ['leak', 'load', 'memory', 'scenario']);
    expect(measured.failures).toHaveLength(wasLoadRefused() ? 1 : 0);
  });

  test('finds the bytes of a buffer of 1 KiB, and that a shared one costs a pointer', () => {
    const { cadre, shared } = kindOf('memory').variants;
    expect(cadre?.bytesPerItem.estimate).toBeGreaterThan(1024);
    expect(cadre?.bytesPerItem.estimate).toBeLessThan(1400);
    expect(shared?.bytesPerItem.estimate).toBeLessThan(64);
    expect(cadre?.items.length).toBe(9);
  });

  test('finds a leak of heap and one of descriptors, and none where there is none', () => {
    const { cadre, heap, descriptor } = kindOf('leak').variants;
    expect([cadre?.verdict, heap?.verdict, descriptor?.verdict]).toEqual(['no leak', 'leak', 'leak']);
    expect(heap?.judgements[0]?.reason).toContain('The heap grows');
    expect(descriptor?.judgements[0]?.reason).toContain('descriptors');
  });

  test('finds the variant of the scenario that loses what it answered', () => {
    const { cadre, loses } = kindOf('scenario').variants;
    expect(cadre?.violations).toEqual([]);
    expect(cadre?.phases[1]?.failed).toBeGreaterThan(0);
    expect(loses?.violations.map(({ invariant }) => invariant)).toContain('countsEveryAnswer');
    expect(cadre?.faults.map(({ name }) => name)).toEqual(['break', 'mend']);
  });

  test('holds the rate of a load and reports its latencies, or refuses to', () => {
    if (wasLoadRefused()) return;
    for (const { latency, histogram } of Object.values(kindOf('load').variants)) {
      expect(latency.p50[0]).toBeLessThanOrEqual(latency.max[0] ?? 0);
      expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(200);
    }
  });

  test('shows each kind in the reports', () => {
    expect(rendered).toContain('bytes per buffer');
    expect(rendered).toContain('LEAK');
    expect(rendered).toContain('VIOLATED countsEveryAnswer');
    expect(rendered).toContain(wasLoadRefused() ? 'Lower ratePerSecond' : 'p99.9');
  });
});

describe('checkCase', () => {
  test.for(['sample/grows.leak', 'sample/kept.memory', 'sample/steady.load'])('runs %s once, untimed', async (name) => {
    const [found] = await findCases(samples, name);
    if (found === undefined) throw new TypeError(`${name} is missing.`);
    const { definition } = await loadCase(found);
    await checkCase(name, definition, { iterations: 3, directoryFor: async () => directory });
  });

  test('finds an invariant that does not hold', async () => {
    const [found] = await findCases(samples, 'sample/broken.scenario');
    if (found === undefined) throw new TypeError('The scenario is missing.');
    const { definition } = await loadCase(found);
    const checking = checkCase('sample', definition, { iterations: 1, directoryFor: async () => directory });
    await expect(checking).rejects.toThrow('countsEveryAnswer does not hold');
  });
});

/** On a machine that is busy with other things the rate can't be held, and saying so is what is right then. */
function wasLoadRefused(): boolean {
  return measured.failures.some(({ code }) => code === 'BENCH_RATE_NOT_HELD');
}

function kindOf<Kind extends KindRecord['kind']>(kind: Kind): Extract<KindRecord, { readonly kind: Kind }> {
  const record = measured.kinds.find((entry) => entry.kind === kind);
  if (record === undefined) throw new TypeError(`There is no ${kind}.`);
  return record as Extract<KindRecord, { readonly kind: Kind }>;
}
