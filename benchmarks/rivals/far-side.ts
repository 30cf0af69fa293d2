/** The other thread or process of a case: counts what it is sent, and answers what it is asked. Here: over the bus. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Bus, createBus } from '@cadre/bus';

export interface Report {
  readonly count: number;
  readonly sum: number;
}

export interface FarSide {
  send(value: unknown): unknown;
  /** What it was sent since the last report, all of which it has by then. */
  report(): Promise<Report>;
  ask(value: unknown): Promise<unknown>;
  close(): Promise<void>;
}

export async function openThread(directory: string): Promise<FarSide> {
  const { openThreadHub } = await import('@cadre/bus/threads');
  const hub = openThreadHub();
  const link = hub.addThread();
  const worker = new Worker(writeProgram(directory, 'threads'), {
    workerData: link,
    transferList: [link.port],
    execArgv: [],
  });
  await once(worker, 'message');
  const transport = await hub.connect();
  return farSideOf(createBus({ transport }), async () => {
    await transport.close();
    await hub.close();
    await worker.terminate();
  });
}

export async function openProcess(directory: string): Promise<FarSide> {
  const { openSocketHub } = await import('@cadre/bus/socket');
  const hub = await openSocketHub({ path: join(directory, 'hub') });
  const child = fork(writeProgram(directory, 'socket'), [hub.path], { execArgv: [] });
  await once(child, 'message');
  const transport = await hub.connect();
  return farSideOf(createBus({ transport }), async () => {
    await transport.close();
    await hub.close();
    await endChild(child);
  });
}

export async function openNats(directory: string): Promise<FarSide> {
  const [{ openNatsTransport }, { startNatsServer }] = await Promise.all([
    import('@cadre/bus/nats'),
    import('./nats-server.ts'),
  ]);
  const server = await startNatsServer(directory);
  const child = fork(writeProgram(directory, 'nats'), [server.address], { execArgv: [] });
  await once(child, 'message');
  const transport = await openNatsTransport({ servers: [server.address] });
  return farSideOf(createBus({ transport }), async () => {
    await transport.close();
    await endChild(child);
    await server.close();
  });
}

/** No other side at all: the same subjects in this very process. */
export async function openWithin(): Promise<FarSide> {
  const bus = createBus();
  let report = { count: 0, sum: 0 };
  bus.subscribe<{ readonly value: number }>('work', ({ data }) => {
    report.count += 1;
    report.sum += data.value;
  });
  bus.subscribe('report', (message) => {
    const last = report;
    report = { count: 0, sum: 0 };
    return message.respond?.(last);
  });
  bus.subscribe('ask', (message) => message.respond?.(message.data));
  return farSideOf(bus, async () => undefined);
}

/** For rivals that answer in the order in which they were asked, and don't say to what. */
export function inOrder() {
  const waiting: ((value: unknown) => void)[] = [];
  return {
    /** What is answered to whatever `send` sends. The other side says what that is. */
    expect: <Answer>(send: () => void) =>
      new Promise<Answer>((resolve) => {
        waiting.push(resolve as (value: unknown) => void);
        send();
      }),
    answer: (value: unknown) => waiting.shift()?.(value),
  };
}

function farSideOf(bus: Bus, close: () => Promise<void>): FarSide {
  return {
    send: (value) => bus.publish('work', value),
    report: async () => (await bus.request<Report>('report', null)).data,
    ask: async (value) => (await bus.request('ask', value)).data,
    close: async () => {
      await bus.close();
      await close();
    },
  };
}

async function endChild(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const programs = {
  threads: 'await driver.openThreadTransport(workerData)',
  socket: 'await driver.openSocketTransport({ path: process.argv[2] })',
  nats: 'await driver.openNatsTransport({ servers: [process.argv[2]] })',
};

/** For the text of a program. The built one: a thread can't run the sources, whatever this process was started with. */
export function builtUrl(door: string): string {
  const { resolve } = createRequire(import.meta.url);
  return JSON.stringify(pathToFileURL(resolve(door).replace(/\/src\/(\w+)\.ts$/, '/dist/$1.js')).href);
}

function writeProgram(directory: string, kind: keyof typeof programs): string {
  const path = join(directory, 'far.mjs');
  writeFileSync(
    path,
    `
import { parentPort, workerData } from 'node:worker_threads';
import { createBus } from ${builtUrl('@cadre/bus')};
import * as driver from ${builtUrl(`@cadre/bus/${kind}`)};
const transport = ${programs[kind]};
const bus = createBus({ transport });
let report = { count: 0, sum: 0 };
bus.subscribe('work', ({ data }) => {
  report.count += 1;
  report.sum += data instanceof Uint8Array ? data[0] : data.value;
});
bus.subscribe('report', (message) => {
  const { count, sum } = report;
  report = { count: 0, sum: 0 };
  return message.respond({ count, sum });
});
bus.subscribe('ask', (message) => message.respond(message.data));
await bus.flush();
if (parentPort) parentPort.postMessage('ready');
else process.send('ready');
`,
  );
  return path;
}
