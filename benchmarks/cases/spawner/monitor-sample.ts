import { strictEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { defineCase, type PreparedVariant } from '@cadre/bench';

const workers = 20;

export default defineCase<number>({
  question: 'How long does a sample of 20 processes take, by the process?',
  unit: 'process',
  unitsPerIteration: workers,
  validate: (sampled) => strictEqual(sampled, workers),
  variants: {
    async cadre() {
      const { identifyProcess, openResourceMonitor } = await import('@cadre/spawner');
      return prepare(async (pids) => {
        const identities = await Promise.all(pids.map(identifyProcess));
        const monitor = openResourceMonitor({
          intervalMs: Infinity,
          processes: identities.filter((identity) => identity !== undefined),
        });
        return async () => (await monitor.sample()).processes.filter(({ rssBytes }) => rssBytes > 0).length;
      });
    },
    async pidusage() {
      const { sampleAll } = await import('../../rivals/pidusage.ts');
      return prepare(async (pids) => () => sampleAll(pids));
    },
  },
});

async function prepare(
  open: (pids: readonly number[]) => Promise<() => Promise<number>>,
): Promise<PreparedVariant<number>> {
  const sleepers = Array.from({ length: workers }, () => spawn('sleep', ['100000'], { stdio: 'ignore' }));
  const exits = sleepers.map((sleeper) => once(sleeper, 'exit'));
  const sample = await open(sleepers.map(({ pid = 0 }) => pid));
  return {
    async run(iterations) {
      let sampled = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) sampled = await sample();
      return sampled;
    },
    async close() {
      for (const sleeper of sleepers) sleeper.kill('SIGKILL');
      await Promise.all(exits);
    },
  };
}
