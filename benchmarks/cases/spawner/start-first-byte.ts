import { strictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import { needsWaitingSlots } from '../../waiting-slots.ts';

const args = ['-c', 'echo ready'];
const bytes = 'ready\n'.length;

type Start = (onStdout: (chunk: Uint8Array) => void) => Promise<void>;

export default defineCase<number>({
  question:
    'How long does it take to start `sh` and have the first byte that it prints, its end being seen to meanwhile?',
  unit: 'process',
  control: 'process',
  needs: [needsWaitingSlots({ variants: ['cadre, waiting slots'] })],
  validate: (read, iterations) => strictEqual(read, bytes * iterations),
  variants: {
    async cadre() {
      const { spawnProcess } = await import('@cadre/spawner');
      return prepare((onStdout) => spawnProcess({ command: 'sh', args, onStdout }).then(ended));
    },
    async 'cadre, waiting slots'() {
      const { openSpawnSlots, spawnProcess } = await import('@cadre/spawner');
      const slots = await openSpawnSlots();
      await slots.ready();
      const start: Start = (onStdout) => spawnProcess({ command: 'sh', args, slots, onStdout }).then(ended);
      return { ...prepare(start), close: () => slots.close() };
    },
    async 'child_process.spawn'() {
      const { startProgram } = await import('../../rivals/child-process.ts');
      return prepare((onStdout) => startProgram('sh', args, onStdout));
    },
    async execa() {
      const { startProgram } = await import('../../rivals/execa.ts');
      return prepare((onStdout) => startProgram('sh', args, onStdout));
    },
  },
});

async function ended({ result }: { readonly result: Promise<unknown> }): Promise<void> {
  await result;
}

/** One after the other, each begun when the one before has spoken; the ends of all are waited for. */
function prepare(start: Start): PreparedVariant<number> {
  return {
    async run(iterations) {
      let read = 0;
      const ends: Promise<void>[] = [];
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        await new Promise<void>((resolve, reject) => {
          const end = start((chunk) => {
            read += chunk.byteLength;
            resolve();
          });
          end.catch(reject);
          ends.push(end);
        });
      }
      await Promise.all(ends);
      return read;
    },
  };
}
