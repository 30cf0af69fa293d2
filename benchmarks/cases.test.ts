/** Runs each case a few times, untimed, from the sources: whether its variants do what they say, and the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkCase, findCases, loadCase } from '@cadre/bench';
import { afterAll, beforeAll, describe, test } from 'vitest';

const found = await findCases(fileURLToPath(new URL('cases', import.meta.url)));
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-benchmarks-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.for(found)('$name', (entry) => {
  test.for([1, 2])('does equal work in every variant, %i at a time', async (iterations) => {
    const { definition } = await loadCase(entry);
    const directoryFor = (variant: string) => mkdtemp(join(directory, `${variant.replaceAll(/\W/g, '-')}-`));
    await checkCase(entry.name, definition, { iterations, directoryFor });
  });
});
