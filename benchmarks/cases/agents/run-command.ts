import { deepStrictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';

const command = ['sh', '-c', 'echo done'] as const;

interface Ended {
  readonly exitCode: number | null | undefined;
  readonly text: string;
}

export default defineCase<Ended>({
  question: 'How long does an attempt of a command take that only prints a line, from its start to its outcome?',
  unit: 'attempt',
  control: 'process',
  validate: (ended) => deepStrictEqual(ended, { exitCode: 0, text: 'done' }),
  variants: {
    async cadre({ directory }) {
      const { runAgent } = await import('@cadre/agents');
      return repeatedly(async () => {
        const { exitCode, text } = await runAgent({ adapter: 'command', command }, { prompt: '', cwd: directory });
        return { exitCode, text };
      });
    },
    async 'child_process.spawn'() {
      const { runProgram } = await import('../../rivals/child-process.ts');
      return repeatedly(async () => trimmed(await runProgram(command[0], command.slice(1))));
    },
    async execa() {
      const { runProgram } = await import('../../rivals/execa.ts');
      return repeatedly(async () => trimmed(await runProgram(command[0], command.slice(1))));
    },
  },
});

function trimmed({
  exitCode,
  stdout,
}: {
  readonly exitCode?: number | null | undefined;
  readonly stdout: string;
}): Ended {
  return { exitCode, text: stdout.trimEnd() };
}

function repeatedly(runOnce: () => Promise<Ended>): PreparedVariant<Ended> {
  return {
    async run(iterations) {
      let ended = await runOnce();
      for (let iteration = 1; iteration < iterations; iteration += 1) ended = await runOnce();
      return ended;
    },
  };
}
