import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type FarSide, inOrder } from './far-side.ts';

/** A port has no subjects, no bound and no account of what was lost. */
export async function openMessagePort(directory: string): Promise<FarSide> {
  const program = join(directory, 'far.mjs');
  writeFileSync(program, source);
  const worker = new Worker(program);
  await once(worker, 'message');
  const { expect, answer } = inOrder();
  worker.on('message', answer);
  return {
    send: (value) => worker.postMessage(value),
    report: () => expect(() => worker.postMessage('report')),
    ask: (value) => expect(() => worker.postMessage({ ask: value })),
    close: async () => void (await worker.terminate()),
  };
}

const source = `
import { parentPort } from 'node:worker_threads';
let report = { count: 0, sum: 0 };
parentPort.on('message', (value) => {
  if (value === 'report') {
    parentPort.postMessage(report);
    report = { count: 0, sum: 0 };
  } else if (value.ask !== undefined) parentPort.postMessage(value.ask);
  else {
    report.count += 1;
    report.sum += value instanceof Uint8Array ? value[0] : value.value;
  }
});
parentPort.postMessage('ready');
`;
