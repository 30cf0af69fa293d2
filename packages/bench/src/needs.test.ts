import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { comparePackage } from './baseline.ts';
import { type BenchmarkCase, defineCase } from './case.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { findCases, importCase } from './find-cases.ts';
import { applyNeeds, describeLeftOut, type Need, needsPackage, needsProgram } from './needs.ts';
import type { PackageRecord } from './record.ts';
import { renderHtml } from './report/html.ts';
import { renderMarkdown } from './report/markdown.ts';
import { renderPackage } from './report/terminal.ts';
import { runBenchmarks } from './run.ts';

const samples = fileURLToPath(new URL('../test/needs-cases', import.meta.url));
let directory: string;
let environment: Environment;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cadre-bench-needs-'));
  environment = await readEnvironment(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('applyNeeds', () => {
  const missing = (name: string, variants?: readonly string[]): Need => ({
    name,
    isHere: () => false,
    ...(variants === undefined ? {} : { variants }),
  });

  test('leaves a case out, and names all that is missing', async () => {
    const applied = await applyNeeds('x/y', caseWith(missing('redis-server'), missing('nats-server')));
    expect(applied).toEqual({
      definition: undefined,
      leftOut: [{ case: 'x/y', needs: ['redis-server', 'nats-server'] }],
    });
    expect(applied.leftOut.map(describeLeftOut)).toEqual([
      'x/y was left out: it needs redis-server and nats-server, which are not here.',
    ]);
  });

  test('leaves out the variants that need it, and no other', async () => {
    const { definition, leftOut } = await applyNeeds('x/y', caseWith(missing('lmdb', ['rival'])));
    expect(Object.keys(definition?.variants ?? {})).toEqual(['cadre', 'other']);
    expect(leftOut.map(describeLeftOut)).toEqual([
      'x/y was measured without rival, which needs lmdb, which is not here.',
    ]);
  });

  test('leaves the case out when the variant that is judged needs it', async () => {
    const { definition, leftOut } = await applyNeeds('x/y', caseWith(missing('lmdb', ['rival', 'cadre'])));
    expect(definition).toBeUndefined();
    expect(leftOut).toEqual([{ case: 'x/y', needs: ['lmdb'] }]);
  });

  test('leaves a case alone whose needs are here', async () => {
    const sound = caseWith({ name: 'node', isHere: async () => true });
    expect(await applyNeeds('x/y', sound, 'fail')).toEqual({ definition: sound, leftOut: [] });
  });

  test('fails where nothing may be left out', async () => {
    const applying = applyNeeds('x/y', caseWith(missing('lmdb', ['rival'])), 'fail');
    await expect(applying).rejects.toMatchObject({
      code: 'BENCH_NEED_MISSING',
      message: expect.stringContaining('x/y needs lmdb, which is not here'),
    });
  });
});

describe('needsProgram', () => {
  test('looks for what can be run on the PATH', async () => {
    const here = join(directory, 'bin');
    mkdirSync(join(here, 'a-folder'), { recursive: true });
    writeFileSync(join(here, 'a-program'), '#!/bin/sh\n');
    chmodSync(join(here, 'a-program'), 0o755);
    writeFileSync(join(here, 'a-text'), 'read me\n');
    vi.stubEnv('PATH', `${join(directory, 'nowhere')}:${here}`);
    try {
      const found = await Promise.all(
        ['a-program', 'a-folder', 'a-text', 'nothing'].map((name) => needsProgram(name).isHere()),
      );
      expect(found).toEqual([true, false, false, false]);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('needsPackage', () => {
  test('looks a package up as Node does, from the case', () => {
    const folder = join(directory, 'workspace');
    mkdirSync(join(folder, 'node_modules/@some/rival'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/@some/rival/package.json'), '{}');
    const from = pathToFileURL(join(folder, 'dist/cases/x/y.js'));
    expect(needsPackage('@some/rival', from.href).isHere()).toBe(true);
    expect(needsPackage('@some/other', from).isHere()).toBe(false);
  });
});

describe('importCase', () => {
  test.for([
    { needs: '[{ name: "a" }]', says: 'each of its needs must have name (a string) and isHere (a function)' },
    { needs: '"redis-server"', says: 'needs must be a list' },
    { needs: '[{ name: "a", isHere() {}, variants: ["cadre", "gone"] }]', says: 'no variant gone to need a' },
  ])('refuses needs $needs', async ({ needs, says }) => {
    const file = join(directory, `${says.length}.mjs`);
    const rest = 'question: "", unit: "", validate() {}, variants: { cadre() {} }';
    writeFileSync(file, `export default { needs: ${needs}, ${rest} };`);
    await expect(importCase(file)).rejects.toMatchObject({
      code: 'BENCH_CASE_INVALID',
      message: expect.stringContaining(says),
    });
  });
});

describe('runBenchmarks', () => {
  const measure = async (onMissing: 'leaveOut' | 'fail') =>
    runBenchmarks({
      cases: await findCases(samples),
      workDirectory: join(directory, 'work'),
      ...{ rounds: 1, batchMs: 1, warmupMs: 1, measureMs: 1 },
      onMissing,
      environment,
    });

  test('measures without what is missing, and every report says so', async () => {
    const record = await measure('leaveOut');
    const [sample] = record.packages;
    expect(sample?.failures).toEqual([]);
    expect(sample?.cases.map(({ name, variants }) => [name, Object.keys(variants)])).toEqual([
      ['sample/rival', ['cadre', 'other']],
    ]);
    const reports = [
      renderPackage(sample as PackageRecord),
      renderMarkdown(record),
      renderHtml(record, { history: [] }),
    ];
    for (const report of reports) {
      expect(report).toContain('sample/server was left out: it needs no-such-server, which is not here.');
      expect(report).toContain('sample/rival was measured without missing, which needs no-such-library');
    }
  });

  test('fails the cases where nothing may be left out', async () => {
    const { failures = [], leftOut } = (await measure('fail')).packages[0] ?? {};
    expect(failures.map(({ case: name, code }) => [name, code])).toEqual([
      ['sample/rival', 'BENCH_NEED_MISSING'],
      ['sample/server', 'BENCH_NEED_MISSING'],
    ]);
    expect(leftOut).toEqual([]);
  });
});

describe('comparePackage', () => {
  const empty: PackageRecord = { name: 'x', controls: {}, cases: [], kinds: [], failures: [], leftOut: [] };
  const leftOut = [{ case: 'x/y', needs: ['redis-server'] }];
  const measured = { kind: 'size', name: 'x/y', question: '', unit: 'package', hash: '', packageName: 'x' } as const;
  const size = { packedBytes: 1, unpackedBytes: 1, files: 1, doors: {} };

  test('says what was missing, now or when the baseline was stored', () => {
    const here = { ...empty, kinds: [{ ...measured, size }] };
    const without = { ...empty, leftOut };
    expect(comparePackage(without, here)).toEqual([
      {
        name: 'x/y',
        outcome: 'notComparable',
        reason: 'x/y was left out: it needs redis-server, which is not here.',
      },
    ]);
    expect(comparePackage(here, without)).toMatchObject([
      { outcome: 'notComparable', reason: 'The baseline was stored where redis-server was missing.' },
    ]);
  });
});

function caseWith(...needs: readonly Need[]): BenchmarkCase<number> {
  const variant = () => ({ run: (iterations: number) => iterations });
  return defineCase<number>({
    question: 'Does it count?',
    unit: 'count',
    needs,
    validate: () => undefined,
    variants: { cadre: variant, rival: variant, other: variant },
  });
}
