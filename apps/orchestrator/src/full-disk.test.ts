/**
 * A real disk that is really full: a tmpfs of 1 MiB in a mount namespace of the test's own, filled up to a given rest.
 * Wherever in the run it fills, the run ends with a clear error, its journal is intact, and once there is room again
 * `cadre resume` finishes it without running a finished task again.
 *
 * Seen to fail with a log that neither counts what was written nor looks at its file's size: tasks that the run had
 * called succeeded were gone.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, finishedTasks, ranAgain } from '../test/journal-facts.ts';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const canMount = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cadre-full-'));
  writeFileSync(join(root, 'workflow.yaml'), workflow);
  writeFileSync(join(root, 'work.mjs'), work);
  writeFileSync(join(root, 'try.sh'), script);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const soaking = process.env.CADRE_SOAK === '1';

describe.skipIf(!canMount)('cadre run, on a disk that fills up', () => {
  test('stops with a clear error, keeps its journal, and is resumed once there is room', () => {
    const count = { stopped: 0, notStarted: 0, finished: 0 };
    for (let free = 8; free <= 160; free += soaking ? 8 : 24) {
      const folder = join(root, `free-${free}`);
      mkdirSync(folder);
      const { stdout, stderr } = spawnSync('unshare', ['-Urm', 'sh', join(root, 'try.sh'), String(free)], {
        cwd: folder,
        encoding: 'utf8',
        env: {
          PATH: process.env.PATH ?? '',
          HOME: folder,
          MAIN: main,
          NODE: process.execPath,
          WORKFLOW: join(root, 'workflow.yaml'),
        },
      });
      const first = Number(/^first exit (\d+)$/m.exec(stdout)?.[1]);
      const second = Number(/^second exit (\d+)$/m.exec(stdout)?.[1]);
      const before = eventsOf(join(folder, 'before.jsonl'));
      const after = eventsOf(join(folder, 'after.jsonl'));
      const context = { free, first, second, stdout, stderr };

      if (first === 0) count.finished += 1;
      else if (before.length === 0) count.notStarted += 1;
      else count.stopped += 1;
      if (first !== 0) {
        // Either the run itself can't go on, or single tasks failed for want of room; both are said.
        expect([1, 3], JSON.stringify(context)).toContain(first);
        expect(stderr + stdout).toMatch(/ENOSPC|bytes were written/);
        expect(second, JSON.stringify(context)).toBe(0);
      }
      // Whatever the first run said had succeeded was on disk.
      const said = [...(stdout.split('first exit')[0]?.matchAll(/ (t\d) succeeded/g) ?? [])].map(([, task]) => task);
      expect(finishedTasks(before)).toEqual(expect.arrayContaining(said));
      expect(finishedTasks(after).length).toBe(10);
      expect(after.slice(0, before.length)).toEqual(before);
      expect(ranAgain(after)).toEqual([]);
    }
    console.log('full disks:', JSON.stringify(count));
    expect(count.stopped).toBeGreaterThanOrEqual(3);
  }, 300_000);
});

/** Each task leaves some 7 KB in the journal and as much in its own folder. */
const workflow = `
name: full
agents:
  work: { adapter: jsonl, command: [node, ./work.mjs] }
tasks:
${Array.from({ length: 10 }, (_, n) => `  t${n}: { agent: work, retry: 1, ${n < 3 ? '' : `needs: [t${n - 3}], `}prompt: "Task ${n}" }`).join('\n')}
`;

const work = `
import { randomBytes } from 'node:crypto';
process.stdin.resume().on('end', () => console.log(JSON.stringify({ type: 'result', output: randomBytes(3_500).toString('hex') })));
`;

const script = `
mkdir .cadre && mount -t tmpfs -o size=1m tmpfs .cadre
head -c $((1024 * (1024 - $1))) /dev/zero > .cadre/filler
"$NODE" "$MAIN" run "$WORKFLOW" --no-cache --concurrency 2
echo "first exit $?"
cat .cadre/runs/*/journal.jsonl > before.jsonl 2>/dev/null
rm .cadre/filler
if [ -s before.jsonl ]; then "$NODE" "$MAIN" resume; else rm -rf .cadre/runs; "$NODE" "$MAIN" run "$WORKFLOW" --no-cache; fi
echo "second exit $?"
cat .cadre/runs/*/journal.jsonl > after.jsonl
`;
