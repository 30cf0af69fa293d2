import { mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { defineScenario, type PreparedScenario } from '@cadre/bench';

const mark = 'cadre-bench-scenario';

export default defineScenario({
  question: 'Does every program that was started settle, and none stay, when all that run are killed twice?',
  unit: 'program',
  control: 'process',
  phases: [
    { name: 'ramp', durationMs: 1000, ratePerSecond: { from: 2, to: 20 } },
    { name: 'hold', durationMs: 2000, ratePerSecond: 20 },
    { name: 'rest', durationMs: 1000, ratePerSecond: 2 },
  ],
  faults: [
    { name: 'killAll', atMs: 1500 },
    { name: 'killAll', atMs: 2500 },
  ],
  requestTimeoutMs: 10_000,
  variants: {
    async cadre({ directory }) {
      const { spawnProcess } = await import('@cadre/spawner');
      const folder = join(directory, 'programs');
      mkdirSync(folder);
      const running = new Set<number>();
      let settled = 0;
      const prepared: PreparedScenario = {
        async request(_index, { signal }) {
          const started = await spawnProcess({
            command: 'sh',
            args: ['-c', `sleep 0.05; echo ${mark}`],
            cwd: folder,
            signal,
          });
          running.add(started.identity.pid);
          const { exitCode, stdout } = await started.result.finally(() => {
            running.delete(started.identity.pid);
            settled += 1;
          });
          if (exitCode !== 0 || stdout.trim() !== mark)
            throw Object.assign(new Error('It was killed.'), { code: 'KILLED' });
        },
        faults: {
          killAll() {
            for (const pid of running) kill(pid);
          },
        },
        invariants: {
          everyProgramSettles({ ended, answered, failed }) {
            if (ended && settled !== answered + failed) {
              throw new Error(`${answered + failed} were asked for and ${settled} settled`);
            }
          },
          noneStays({ ended }) {
            const left = ended ? findWorkingIn(folder) : [];
            if (left.length > 0) throw new Error(`still running: ${left.join(', ')}`);
          },
        },
      };
      return prepared;
    },
  },
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself and was not yet seen to.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Whatever its arguments: what was started, and what that started, works in the folder. */
function findWorkingIn(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        return false; // It has ended meanwhile, or is another user's.
      }
    });
}
