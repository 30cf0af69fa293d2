import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FarSide, inOrder } from './far-side.ts';

/** Node's own channel to a child: JSON, no bound, no account of what was lost. */
export async function openChildProcessIpc(directory: string): Promise<FarSide> {
  const program = join(directory, 'far.mjs');
  writeFileSync(program, source);
  const child = fork(program, { execArgv: [] });
  await once(child, 'message');
  const { expect, answer } = inOrder();
  child.on('message', answer);
  return {
    send: (value) => child.send(value as object),
    report: () => expect(() => child.send('report')),
    ask: (value) => expect(() => child.send({ ask: value })),
    close: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const source = `
let report = { count: 0, sum: 0 };
process.on('message', (value) => {
  if (value === 'report') {
    process.send(report);
    report = { count: 0, sum: 0 };
  } else if (value.ask !== undefined) process.send(value.ask);
  else {
    report.count += 1;
    report.sum += value.value;
  }
});
process.send('ready');
`;
