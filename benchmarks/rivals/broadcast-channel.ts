import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import { type FarSide, inOrder } from './far-side.ts';

/** To whoever has opened a channel of the name; nobody knows who that is. */
export async function openBroadcastChannel(directory: string): Promise<FarSide> {
  const program = join(directory, 'far.mjs');
  writeFileSync(program, source);
  const channel = new BroadcastChannel(program);
  const { expect, answer } = inOrder();
  const ready = expect(() => {
    channel.onmessage = (event) => answer((event as { readonly data: unknown }).data);
  });
  const worker = new Worker(program, { workerData: program });
  await ready;
  return {
    send: (value) => channel.postMessage(value),
    report: () => expect(() => channel.postMessage('report')),
    ask: (value) => expect(() => channel.postMessage({ ask: value })),
    close: async () => {
      channel.close();
      await worker.terminate();
    },
  };
}

const source = `
import { BroadcastChannel, workerData } from 'node:worker_threads';
const channel = new BroadcastChannel(workerData);
let report = { count: 0, sum: 0 };
channel.onmessage = ({ data: value }) => {
  if (value === 'report') {
    channel.postMessage(report);
    report = { count: 0, sum: 0 };
  } else if (value.ask !== undefined) channel.postMessage(value.ask);
  else {
    report.count += 1;
    report.sum += value instanceof Uint8Array ? value[0] : value.value;
  }
};
channel.postMessage('ready');
`;
