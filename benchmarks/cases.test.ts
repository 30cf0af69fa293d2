/** Runs each case a few times, untimed, from the sources: whether its variants do what they say, and the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyNeeds, checkCase, describeLeftOut, findCases, loadCase } from '@cadre/bench';
import { afterAll, beforeAll, describe, test } from 'vitest';

const found = await findCases(fileURLToPath(new URL('cases', import.meta.url)));
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-benchmarks-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** CI installs the servers that cases need, and must not leave any out. */
const onMissing = process.env.CADRE_REQUIRE_SERVICES === '1' ? 'fail' : 'leaveOut';

describe.for(found)('$name', (entry) => {
  test('does equal work in every variant, one at a time and two', async ({ skip }) => {
    const loaded = await loadCase(entry);
    const { definition, leftOut } = await applyNeeds(entry.name, loaded.definition, onMissing);
    if (definition === undefined) return skip(leftOut.map(describeLeftOut).join(' '));
    const directoryFor = (variant: string) => mkdtemp(join(directory, `${variant.replaceAll(/\W/g, '-')}-`));
    await checkCase(entry.name, definition, { iterations: 2, directoryFor });
  });
});
