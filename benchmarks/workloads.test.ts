/** Runs the small version of each workload once or twice, untimed: whether its variants do what they say, and the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyNeeds, checkCase, describeLeftOut, findWorkloads, loadWorkload } from '@cadre/bench';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const found = await findWorkloads(fileURLToPath(new URL('workloads', import.meta.url)), 'all');
// What it needs may be missing on the reader's machine, and must be there in CI.
const onMissing = process.env.CADRE_REQUIRE_SERVICES === '1' ? 'fail' : 'leaveOut';
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-workloads-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.for(found)('$name', ({ name, file }) => {
  test('does equal work in every variant, one at a time and two', async ({ skip }) => {
    const { small } = await loadWorkload(file);
    const { definition, leftOut } = await applyNeeds(name, small, onMissing);
    if (definition === undefined) return skip(leftOut.map(describeLeftOut).join(', '));
    const directoryFor = (variant: string) => mkdtemp(join(directory, `${variant.replaceAll(/\W/g, '-')}-`));
    await checkCase(name, definition, { iterations: 2, directoryFor });
  });

  test('has a claim with its source, and something beside ours', async () => {
    const workload = await loadWorkload(file);
    const { claims, variants, probes } = workload;
    expect(claims.length).toBeGreaterThan(0);
    expect(claims.every(({ source, what }) => source !== '' && what !== '')).toBe(true);
    expect(Object.keys(variants)).toContain('cadre');
    expect(Object.keys(variants).length).toBeGreaterThan(1);
    // One of them: a probe takes as long as measuring does.
    const [probe] = Object.values(probes);
    const isHere = (await applyNeeds(name, workload.small, onMissing)).definition !== undefined;
    if (probe !== undefined && isHere) expect(await probe({ directory })).toBeGreaterThan(0);
  });
});
