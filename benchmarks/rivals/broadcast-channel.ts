import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import type { FarSide, Report } from './far-side.ts';

/** To whoever has opened a channel of the name; nobody knows who that is. */
export async function openBroadcastChannel(directory: string): Promise<FarSide> {
  const program = join(directory, 'far.mjs');
  writeFileSync(program, source);
  const channel = new BroadcastChannel(program);
  const next = <T>() =>
    new Promise<T>((resolve) => {
      channel.onmessage = (event) => resolve((event as { data: T }).data);
    });
  const ready = next();
  const worker = new Worker(program, { workerData: program });
  await ready;
  return {
    send: (value) => channel.postMessage(value),
    report: () => {
      const report = next<Report>();
      channel.postMessage('report');
      return report;
    },
    ask: (value) => {
      const answer = next();
      channel.postMessage({ ask: value });
      return answer;
    },
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
