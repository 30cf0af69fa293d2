import { deepStrictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import { needsWaitingSlots } from '../../waiting-slots.ts';

const args = ['-c', 'echo ready'];

interface Ended {
  readonly exitCode: number | null | undefined;
  readonly stdout: string;
}

export default defineCase<Ended>({
  question: 'How long does it take to start `sh`, read the line it prints, and see it end?',
  unit: 'process',
  control: 'process',
  needs: [needsWaitingSlots({ variants: ['cadre, waiting slots'] })],
  validate: (ended) => deepStrictEqual(ended, { exitCode: 0, stdout: 'ready\n' }),
  variants: {
    async cadre() {
      const { spawnProcess } = await import('@cadre/spawner');
      return prepare(async () => {
        const started = await spawnProcess({ command: 'sh', args });
        const { exitCode, stdout } = await started.result;
        return { exitCode, stdout };
      });
    },
    async 'cadre, waiting slots'() {
      const { openSpawnSlots, spawnProcess } = await import('@cadre/spawner');
      const slots = await openSpawnSlots();
      await slots.ready();
      const prepared = prepare(async () => {
        const started = await spawnProcess({ command: 'sh', args, slots });
        const { exitCode, stdout } = await started.result;
        return { exitCode, stdout };
      });
      return { ...prepared, close: () => slots.close() };
    },
    async 'child_process.spawn'() {
      const { runProgram } = await import('../../rivals/child-process.ts');
      return prepare(() => runProgram('sh', args));
    },
    async execa() {
      const { runProgram } = await import('../../rivals/execa.ts');
      return prepare(() => runProgram('sh', args));
    },
    async 'nano-spawn'() {
      const { runProgram } = await import('../../rivals/nano-spawn.ts');
      return prepare(() => runProgram('sh', args));
    },
  },
});

function prepare(start: () => Promise<Ended>): PreparedVariant<Ended> {
  return {
    async run(iterations) {
      let ended = await start();
      for (let iteration = 1; iteration < iterations; iteration += 1) ended = await start();
      return ended;
    },
  };
}
