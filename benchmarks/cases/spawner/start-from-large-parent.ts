import { strictEqual } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import { needsWaitingSlots } from '../../waiting-slots.ts';

const args = ['-c', 'echo ready'];
/** Resident in every variant, since what a fork costs is a matter of the parent's page tables. */
const ballastBytes = 1_000_000_000;

export default defineCase<string>({
  question: 'How long does it take a process of 1 GB to start `sh`, read the line it prints, and see it end?',
  unit: 'process',
  control: 'process',
  needs: [needsWaitingSlots()],
  validate: (text) => strictEqual(text, 'ready\n'),
  variants: {
    async 'cadre, waiting slots'() {
      const { openSpawnSlots, spawnProcess } = await import('@cadre/spawner');
      const slots = await openSpawnSlots();
      await slots.ready();
      return prepare(
        (onStdout) =>
          spawnProcess({ command: 'sh', args, slots, onStdout }).then(async ({ result }) => {
            await result;
          }),
        () => slots.close(),
      );
    },
    async 'child_process.spawn'() {
      return prepare(async (onStdout) => {
        const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'pipe'] });
        child.stdout.on('data', onStdout);
        await once(child, 'close');
      });
    },
  },
});

function prepare(
  start: (onStdout: (chunk: Uint8Array) => void) => Promise<void>,
  close?: () => Promise<void>,
): PreparedVariant<string> {
  const ballast = Buffer.alloc(ballastBytes, 1);
  return {
    async run(iterations) {
      let text = '';
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        text = '';
        await start((chunk) => {
          text += Buffer.from(chunk).toString('utf8');
        });
      }
      return ballast.byteLength === ballastBytes ? text : '';
    },
    ...(close && { close }),
  };
}
