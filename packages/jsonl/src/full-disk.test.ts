/**
 * A disk that is really full: a tmpfs of 256 KiB in a mount namespace of the test's own, part of it taken, and a log that
 * appends until there is no room. The soak fills it 100 times.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { checkRefusedLog, parseRefusedLogs } from '../test/refused-log.ts';

const program = fileURLToPath(new URL('../test/programs/append-until-refused.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'jsonl-full-'));
const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const namespace = ['-Urm', '-m'].find(
  (flags) => spawnSync('unshare', [flags, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0,
);
const isSkipped = namespace === undefined && process.env.CADRE_REQUIRE_SERVICES !== '1';
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(isSkipped)('openJsonlLog on a disk that fills up', () => {
  // Fails against a log that looks neither at the count of bytes written nor at the file: its last acknowledged is torn.
  test('loses nothing acknowledged, acknowledges no more, and goes on once there is room', async () => {
    const fills = process.env.CADRE_SOAK === '1' ? 100 : 10;
    const [disk, copies] = [join(directory, 'disk'), join(directory, 'copies')];
    for (const folder of [disk, copies]) mkdirSync(folder);
    const { stdout, stderr } = spawnSync(
      'unshare',
      [
        namespace ?? '-Urm',
        'sh',
        '-c',
        'mount -t tmpfs -o size=256k tmpfs "$1" && exec "$0" "$2" "$1" "$3" "$4" "$5"',
        process.execPath,
        disk,
        program,
        String(seed),
        String(fills),
        copies,
      ],
      { encoding: 'utf8', env: { PATH: process.env.PATH ?? '' } },
    );
    const logs = parseRefusedLogs(stdout);
    expect(logs, stderr).toHaveLength(fills);
    const count = { cutShort: 0, noSpace: 0, torn: 0, acknowledged: 0 };
    for (const log of logs) {
      const poisoned = 'JSONL_LOG_POISONED';
      expect(log).toMatchObject({
        error: poisoned,
        laterErrors: [poisoned, poisoned, poisoned],
        afterRoom: 'appended',
      });
      if (log.cause === 'ENOSPC') count.noSpace++;
      else {
        expect(log.cause).toMatch(/^Only \d+ of \d+ bytes were written/);
        count.cutShort++;
      }
      const tornBytes = await checkRefusedLog(join(copies, `${log.seed}.full.jsonl`), log);
      const tornAfter = await checkRefusedLog(join(copies, `${log.seed}.jsonl`), log, ['after']);
      expect(tornAfter).toBe(log.mode === 'exclusive' ? 0 : tornBytes);
      if (tornBytes > 0) count.torn++;
      count.acknowledged += log.acknowledged;
    }
    console.info(`seed ${seed}, ${fills} full disks: ${JSON.stringify(count)}`);
    expect(count.cutShort + count.noSpace).toBe(fills);
    expect(count.torn).toBeGreaterThan(fills / 4);
    expect(count.acknowledged).toBeGreaterThan(fills);
  }, 300_000);
});
