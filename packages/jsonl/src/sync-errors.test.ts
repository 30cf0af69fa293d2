/**
 * Syncs that really fail: strace answers EIO in the kernel's place, once, to the n-th of them. All syncs of the program
 * come from one thread, since strace counts them for each thread. The soak fails each of the first 40.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { checkRefusedLog, parseRefusedLogs } from '../test/refused-log.ts';
import { openJsonlLog } from './index.ts';

const program = fileURLToPath(new URL('../test/programs/append-until-refused.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'jsonl-sync-'));
const canTrace = spawnSync('strace', ['-qq', '-o', '/dev/null', '-e', 'trace=none', 'true']).status === 0;
const isSkipped = !canTrace && process.env.CADRE_REQUIRE_SERVICES !== '1';
afterAll(() => rmSync(directory, { recursive: true }));

/** The program's log, and how many syncs strace failed. */
function appendWithFailing(call: 'fdatasync' | 'fsync', nth: number, seed: number) {
  const { stdout, stderr } = spawnSync(
    'strace',
    [
      ...['-f', '-qq', '-e', `trace=${call}`, '-e', `inject=${call}:error=EIO:when=${nth}`],
      ...[process.execPath, program, directory, String(seed), '1'],
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH ?? '', UV_THREADPOOL_SIZE: '1' } },
  );
  const [log] = parseRefusedLogs(stdout);
  if (log === undefined) throw new Error(stderr);
  return { log, injected: stderr.split('(INJECTED)').length - 1, path: join(directory, `${seed}.jsonl`) };
}

describe.skipIf(isSkipped)('openJsonlLog on a disk whose sync fails once', () => {
  // Fails against a log that tries the sync again: the kernel has dropped the pages by then, and says that all is well.
  test('acknowledges nothing from the n-th sync on, and goes on when it is opened again', async () => {
    const syncs = process.env.CADRE_SOAK === '1' ? 40 : 5;
    let fired = 0;
    for (let nth = 1; nth <= syncs; nth++) {
      const { log, injected, path } = appendWithFailing('fdatasync', nth, nth);
      fired += injected;
      if (nth === 1) {
        expect(log).toMatchObject({ acknowledged: 0, error: 'open: EIO' });
        continue;
      }
      const poisoned = 'JSONL_LOG_POISONED';
      expect(log).toMatchObject({
        acknowledged: nth - 2,
        error: poisoned,
        cause: 'EIO',
        laterErrors: [poisoned, poisoned, poisoned],
      });
      expect(await checkRefusedLog(path, log)).toBe(0);
      const again = await openJsonlLog(path, { mode: log.mode });
      await again.append('after');
      await again.close();
      expect(await checkRefusedLog(path, log, ['after'])).toBe(0);
    }
    console.info(`${fired} syncs failed with EIO`);
    expect(fired).toBe(syncs);
  }, 300_000);

  // Fails against a log that syncs its file and not the directory.
  test('is not opened where the entry of the file can not be synced', () => {
    const { log, injected } = appendWithFailing('fsync', 1, 1_000);
    expect([injected, log.error, log.acknowledged]).toEqual([1, 'open: EIO', 0]);
  });
});
