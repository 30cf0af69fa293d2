/** Cases in which another thread, process or server is sent something, or asked. */
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import {
  type BenchmarkCase,
  type CaseContext,
  type CaseHead,
  defineCase,
  defineLoad,
  type LoadCase,
  type PreparedVariant,
} from '@cadre/bench';
import type { FarSide, Report } from './rivals/far-side.ts';

/** By name; each loads its library itself. */
export type FarSides = Readonly<Record<string, (context: CaseContext) => Promise<FarSide>>>;

type Head = Pick<CaseHead, 'question' | 'needs'>;

const messages = 2_000;
const requests = 100;

/** Objects as programs send them, 2,000 at a time, until the other side has them all. */
export function objectsCase(head: Head, sides: FarSides): BenchmarkCase<Report> {
  return sendingCase(head, sides, messageOf, (messages * (messages - 1)) / 2);
}

/** The same with 200 bytes. */
export function bytesCase(head: Head, sides: FarSides): BenchmarkCase<Report> {
  const bytes = new Uint8Array(200).fill(7);
  return sendingCase(head, sides, () => bytes, messages * 7);
}

/** One request after the other: how long each takes to be answered. */
export function roundTripCase(head: Head, sides: FarSides): BenchmarkCase<number> {
  return defineCase<number>({
    ...head,
    unit: 'request',
    unitsPerIteration: requests,
    validate: (sum, iterations) => strictEqual(sum, (iterations * requests * (requests - 1)) / 2),
    variants: prepared(sides, async (far) => {
      // The first thousands take several times as long, on both sides, and the ruler's warm-up is over before that.
      for (let index = 0; index < 5_000; index += 1) await far.ask(index);
      return roundTrips(far);
    }),
  });
}

interface Answers {
  readonly answered: number;
  readonly sum: number;
}

/** Requests at a fixed rate, however long answers take: so seldom that both sides sleep between, or so often that they never do. */
export function answersLoad(head: Head & { readonly ratePerSecond: number }, sides: FarSides): LoadCase<Answers> {
  return defineLoad<Answers>({
    ...head,
    unit: 'request',
    warmupMs: 500,
    // At least 500 of them, for the last of a hundred to mean something.
    durationMs: Math.max(2_000, 500_000 / head.ratePerSecond),
    validate: (answers, sent) => deepStrictEqual(answers, { answered: sent, sum: (sent * (sent - 1)) / 2 }),
    variants: prepared(sides, (far) => {
      let [answered, sum] = [0, 0];
      return {
        async request(index) {
          // Not in one statement: the sum would be the one from before the answer.
          const answer = Number(await far.ask(index));
          sum += answer;
          answered += 1;
        },
        summarise: () => ({ answered, sum }),
        close: () => far.close(),
      };
    }),
  });
}

/** What Node.js has for threads. */
export const threadRivals: FarSides = {
  MessagePort: async ({ directory }) => (await import('./rivals/message-port.ts')).openMessagePort(directory),
  BroadcastChannel: async ({ directory }) =>
    (await import('./rivals/broadcast-channel.ts')).openBroadcastChannel(directory),
};

/** What Node.js has for processes. */
export const processRivals: FarSides = {
  'child-process IPC': async ({ directory }) =>
    (await import('./rivals/child-process-ipc.ts')).openChildProcessIpc(directory),
};

/** The client that ours stands on, with the same JSON. */
export const natsRivals: FarSides = {
  '@nats-io/transport-node': async ({ directory }) =>
    (await import('./rivals/nats-client.ts')).openNatsClient(directory),
};

function sendingCase(
  head: Head,
  sides: FarSides,
  valueAt: (index: number) => unknown,
  sumOfAll: number,
): BenchmarkCase<Report> {
  return defineCase<Report>({
    ...head,
    unit: 'message',
    unitsPerIteration: messages,
    validate: (report, iterations) =>
      deepStrictEqual(report, { count: iterations * messages, sum: iterations * sumOfAll }),
    variants: prepared(sides, async (far) => {
      const run = async (iterations: number): Promise<Report> => {
        let [count, sum] = [0, 0];
        for (let iteration = 0; iteration < iterations; iteration += 1) {
          for (let index = 0; index < messages; index += 1) far.send(valueAt(index));
          const report = await far.report();
          count += report.count;
          sum += report.sum;
        }
        return { count, sum };
      };
      // As with requests: code is compiled on both sides, and the ruler's warm-up is over before that.
      await run(100);
      return { run, close: () => far.close() };
    }),
  });
}

function roundTrips(far: FarSide): PreparedVariant<number> {
  return {
    async run(iterations) {
      let sum = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        for (let index = 0; index < requests; index += 1) sum += Number(await far.ask(index));
      }
      return sum;
    },
    close: () => far.close(),
  };
}

function prepared<Prepared>(sides: FarSides, prepare: (far: FarSide) => Prepared | Promise<Prepared>) {
  return Object.fromEntries(
    Object.entries(sides).map(([name, open]) => [name, async (context: CaseContext) => prepare(await open(context))]),
  );
}

function messageOf(value: number) {
  return {
    value,
    run: '7',
    task: 'collect',
    type: 'toolStarted',
    tool: { name: 'read', path: 'src/index.ts' },
    at: 1_700_000_000_000,
  };
}
