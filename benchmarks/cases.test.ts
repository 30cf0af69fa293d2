/** Runs each case a few times, untimed, from the sources: whether its variants do what they say, and the same. */
import { spawnSync } from 'node:child_process';
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

/** Cases that start a server, by its program: skipped where that isn't installed, unless CADRE_REQUIRE_SERVICES=1. */
const servers: Readonly<Record<string, string>> = { 'cache/redis-hit': 'redis-server' };

function isWithoutServer(name: string): boolean {
  const server = servers[name];
  if (server === undefined || process.env.CADRE_REQUIRE_SERVICES === '1') return false;
  return spawnSync(server, ['--version']).status !== 0;
}

describe.for(found)('$name', (entry) => {
  test.skipIf(isWithoutServer(entry.name)).for([1, 2])(
    'does equal work in every variant, %i at a time',
    async (iterations) => {
      const { definition } = await loadCase(entry);
      const directoryFor = (variant: string) => mkdtemp(join(directory, `${variant.replaceAll(/\W/g, '-')}-`));
      await checkCase(entry.name, definition, { iterations, directoryFor });
    },
  );
});
