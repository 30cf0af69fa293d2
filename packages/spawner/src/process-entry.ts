/** A pool's process: runs the tasks that come over its IPC channel. */
import { Worker } from 'node:worker_threads';
import type { ToProcess } from './process-protocol.ts';
import { type FromWorker, reply } from './task-protocol.ts';
import { TaskRunner, thrownValue } from './task-runner.ts';

const runner = new TaskRunner({
  report: (slot, generation, kind, value) => post([slot, generation, kind, value]),
  memoryBytes: () => process.memoryUsage.rss(),
  recycleAboveBytes: Number(process.argv[2]),
});

process.on('message', (message: ToProcess) => {
  if (message.type === 'define') runner.define(message.id, message.module, message.exportName);
  else if (message.type === 'abort') runner.abortIf(message.slot, message.generation);
  else void runner.run(message.slot, message.generation, message.id, message.argument);
});
process.on('uncaughtExceptionMonitor', (error) => post([0, 0, reply.crashing, thrownValue(error)]));
// A task may hold this thread for ever; that the pool has gone must be noticed all the same.
new Worker(new URL('./lifeline-entry.js', import.meta.url), {
  resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
}).unref();
post('ready');

function post(message: FromWorker): void {
  // What can't be said any more need not be: the pool has gone, and so will this process.
  process.send?.(message, undefined, undefined, () => undefined);
}
