/**
 * 150 agents on one bus, each with a connection of its own, in two processes. Asked, an agent publishes that it was, asks its
 * neighbour, and answers with what that one said; so every agent publishes, asks and answers. What carries the messages is a
 * process of its own, which can be killed and started again.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CaseContext, type CaseHead, defineScenario, type PreparedScenario } from '@cadre/bench';
import { createBus, type Transport } from '@cadre/bus';
import { builtUrl } from './rivals/far-side.ts';

export const agents = 150;
const processes = 2;

export interface Agents {
  /** What the agent's neighbour said: the same. */
  ask(agent: number, value: number): Promise<number>;
  /** How often agents said that they were asked. */
  readonly heard: number;
  kill(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** What carries the messages, in a process of its own. */
interface Middle {
  readonly address: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** `bare nats` is the client that ours stands on, without a bus. */
export type Carrier = 'socket' | 'nats' | 'bare nats';

/** A hub sends again what was on its way; over NATS nothing comes of waiting. Who waits in vain for a neighbour gives up before the asker does. */
const timeoutsMs = {
  socket: { ask: 8_000, echo: 7_000 },
  nats: { ask: 1_500, echo: 1_000 },
};

/** The one who asks the agents. */
export interface Asker {
  readonly heard: number;
  ask(agent: number, value: number): Promise<number>;
  close(): Promise<void>;
}

export async function openAgents(carrier: Carrier, directory: string): Promise<Agents> {
  const middle = carrier === 'socket' ? await startHub(directory) : await startServer(directory);
  const program = join(directory, 'agents.mjs');
  writeFileSync(program, await agentProgram(carrier));
  const each = agents / processes;
  const hosts = await Promise.all(
    Array.from({ length: processes }, (_, index) =>
      startProgram(program, middle.address, String(index * each), String(each), String(agents)),
    ),
  );
  const asker = await openAsker(carrier, middle.address);
  return {
    ask: (agent, value) => asker.ask(agent, value),
    get heard() {
      return asker.heard;
    },
    kill: () => middle.kill(),
    restart: () => middle.restart(),
    async close() {
      await Promise.all(hosts.map(endProgram));
      await asker.close();
      await middle.kill();
    },
  };
}

/** Asked at a fixed rate while the middle is killed and started again. */
/** 15 seconds at 400 requests a second; what carries them is killed, and started again, a little after the first third. */
export function agentsScenario(carrier: Carrier, head: Pick<CaseHead, 'question' | 'needs'>) {
  return defineScenario({
    ...head,
    unit: 'request',
    phases: ['steady', 'killed', 'after'].map((name) => ({ name, durationMs: 5_000, ratePerSecond: 400 })),
    faults: [{ name: 'killTheMiddle', atMs: 5_500 }],
    requestTimeoutMs: 10_000,
    variants: { cadre: (context) => stressAgents(carrier, context) },
  });
}

async function stressAgents(carrier: Carrier, { directory }: CaseContext): Promise<PreparedScenario> {
  const open = await openAgents(carrier, directory);
  let last = -1;
  return {
    async request(index) {
      const answer = await open.ask(index % agents, index);
      if (answer !== index) throw new Error(`Asked ${index}, an agent answered ${answer}.`);
      last = Math.max(last, index);
    },
    faults: {
      async killTheMiddle() {
        await open.kill();
        await open.restart();
      },
    },
    invariants: {
      everyRequestIsSettled({ ended, started, answered, failed }) {
        if (ended && started !== answered + failed) throw new Error(`${started} asked, ${answered + failed} settled`);
      },
      // Over NATS what is on its way when the server is killed is lost, and so are those requests.
      nothingIsLostWhereThatIsPromised({ ended, answered, failed }) {
        if (!ended || carrier === 'nats') return;
        if (failed > 0 || open.heard !== answered) {
          throw new Error(`${failed} requests failed; ${answered} answered, ${open.heard} heard of`);
        }
      },
      theLastRequestsAreAnswered({ ended, started }) {
        if (ended && last < started - 2) throw new Error(`${started} asked, and none answered after number ${last}`);
      },
    },
    close: () => open.close(),
  };
}

async function startHub(directory: string): Promise<Middle> {
  const address = join(directory, 'hub');
  const program = join(directory, 'hub.mjs');
  const driver = builtUrl('@cadre/bus/socket');
  writeFileSync(
    program,
    `import { openSocketHub } from ${driver};\nawait openSocketHub({ path: process.argv[2] });\nprocess.send('ready');\n`,
  );
  let child = await startProgram(program, address);
  return {
    address,
    kill: () => endProgram(child),
    async restart() {
      child = await startProgram(program, address);
    },
  };
}

async function startServer(directory: string): Promise<Middle> {
  const { startNatsServer } = await import('./rivals/nats-server.ts');
  return startNatsServer(directory);
}

async function openAsker(carrier: Carrier, address: string): Promise<Asker> {
  if (carrier === 'bare nats') return (await import('./rivals/nats-client.ts')).openNatsAsker(address);
  const transport = await connect(carrier, address);
  const bus = createBus({ transport });
  let heard = 0;
  bus.subscribe('agent.*.asked', () => {
    heard += 1;
  });
  await bus.flush();
  return {
    get heard() {
      return heard;
    },
    ask: async (agent, value) =>
      (await bus.request<number>(`agent.${agent}.ask`, value, { timeoutMs: timeoutsMs[carrier].ask })).data,
    async close() {
      await bus.close();
      await transport.close();
    },
  };
}

async function connect(carrier: 'socket' | 'nats', address: string): Promise<Transport> {
  if (carrier === 'nats') return (await import('@cadre/bus/nats')).openNatsTransport({ servers: [address] });
  return (await import('@cadre/bus/socket')).openSocketTransport({ path: address });
}

async function agentProgram(carrier: Carrier): Promise<string> {
  if (carrier === 'bare nats') return (await import('./rivals/nats-client.ts')).natsAgents();
  const options =
    carrier === 'nats' ? 'openNatsTransport({ servers: [address] })' : 'openSocketTransport({ path: address })';
  return `
import { createBus } from ${builtUrl('@cadre/bus')};
import * as driver from ${builtUrl(`@cadre/bus/${carrier}`)};
const [address, first, count, all] = process.argv.slice(2);
for (let agent = Number(first); agent < Number(first) + Number(count); agent += 1) {
  const bus = createBus({ transport: await driver.${options} });
  bus.subscribe(\`agent.\${agent}.echo\`, (message) => message.respond(message.data));
  bus.subscribe(\`agent.\${agent}.ask\`, async (message) => {
    await bus.publish(\`agent.\${agent}.asked\`, message.data);
    const { data } = await bus.request(\`agent.\${(agent + 1) % all}.echo\`, message.data, { timeoutMs: ${timeoutsMs[carrier].echo} });
    await message.respond(data);
  });
  await bus.flush();
}
process.send('ready');
`;
}

async function startProgram(program: string, ...args: readonly string[]): Promise<ChildProcess> {
  const child = fork(program, args, { execArgv: [] });
  const [first] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  if (first !== 'ready') throw new Error(`${program} ended with ${first}.`);
  return child;
}

async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
