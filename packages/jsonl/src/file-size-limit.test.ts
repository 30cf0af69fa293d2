/**
 * A file that may not grow: `ulimit -f` cuts the write that reaches it short and refuses the next with EFBIG. (Node
 * ignores SIGXFSZ.) The soak runs into 100 limits.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { checkRefusedLog, parseRefusedLogs } from '../test/refused-log.ts';
import { seeded } from '../test/simulated-disk.ts';
import { openJsonlLog } from './index.ts';

const program = fileURLToPath(new URL('../test/programs/append-until-refused.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'jsonl-limit-'));
const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const logsPerLimit = 5;
afterAll(() => rmSync(directory, { recursive: true }));

describe.skipIf(process.platform === 'win32')('openJsonlLog under a limit to the size of files', () => {
  // Fails against a log that looks neither at the count of bytes written nor at the file: its last acknowledged is torn.
  test('loses nothing acknowledged, acknowledges no more, and goes on without the limit', async () => {
    const limits = process.env.CADRE_SOAK === '1' ? 100 : 4;
    const random = seeded(seed);
    const count = { cutShort: 0, tooBig: 0, torn: 0, acknowledged: 0 };
    for (let limit = 0; limit < limits; limit++) {
      const folder = join(directory, String(limit));
      mkdirSync(folder);
      const { stdout, stderr } = spawnSync(
        'sh',
        [
          '-c',
          'ulimit -f "$1"; exec "$0" "$2" "$3" "$4" "$5"',
          process.execPath,
          String(1 + random(300)),
          program,
          folder,
          String(random(100_000)),
          String(logsPerLimit),
        ],
        { encoding: 'utf8', env: {} },
      );
      const logs = parseRefusedLogs(stdout);
      expect(logs, stderr).toHaveLength(logsPerLimit);
      for (const log of logs) {
        const poisoned = 'JSONL_LOG_POISONED';
        expect(log).toMatchObject({ error: poisoned, laterErrors: [poisoned, poisoned, poisoned] });
        if (log.cause === 'EFBIG') count.tooBig++;
        else {
          expect(log.cause).toMatch(/^Only \d+ of \d+ bytes were written/);
          count.cutShort++;
        }
        const path = join(folder, `${log.seed}.jsonl`);
        const tornBytes = await checkRefusedLog(path, log);
        if (tornBytes > 0) count.torn++;
        count.acknowledged += log.acknowledged;
        const again = await openJsonlLog(path, { mode: log.mode });
        await again.append('after');
        await again.close();
        expect(await checkRefusedLog(path, log, ['after'])).toBe(log.mode === 'exclusive' ? 0 : tornBytes);
      }
      rmSync(folder, { recursive: true });
    }
    console.info(`seed ${seed}, ${limits} limits, ${limits * logsPerLimit} logs: ${JSON.stringify(count)}`);
    expect(count.cutShort + count.tooBig).toBe(limits * logsPerLimit);
    expect(count.torn).toBeGreaterThan(limits);
  }, 300_000);
});
