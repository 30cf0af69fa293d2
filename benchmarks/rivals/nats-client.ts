import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connect } from '@nats-io/transport-node';
import type { Asker } from '../agents-on-a-bus.ts';
import type { FarSide, Report } from './far-side.ts';
import { startNatsServer } from './nats-server.ts';

/** The bare client on both sides: no bound for a slow subscriber, no account of what a handler threw. */
export async function openNatsClient(directory: string): Promise<FarSide> {
  const server = await startNatsServer(directory);
  const program = join(directory, 'far.mjs');
  writeFileSync(program, `import nats from ${clientUrl()};\n${source}`);
  const child = fork(program, [server.address], { execArgv: [] });
  await once(child, 'message');
  const connection = await connect({ servers: [server.address] });
  const ask = async <Answer>(subject: string, value: unknown) =>
    (await connection.request(subject, JSON.stringify(value), { timeout: 10_000 })).json<Answer>();
  return {
    send: (value) => connection.publish('work', JSON.stringify(value)),
    report: () => ask<Report>('report', null),
    ask: (value) => ask('ask', value),
    close: async () => {
      await connection.close();
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await server.close();
    },
  };
}

/** Of `agents-on-a-bus.ts`, by the bare client. */
export async function openNatsAsker(address: string): Promise<Asker> {
  const connection = await connect({ servers: [address] });
  let heard = 0;
  connection.subscribe('agent.*.asked', {
    callback: () => {
      heard += 1;
    },
  });
  await connection.flush();
  return {
    get heard() {
      return heard;
    },
    ask: async (agent, value) =>
      (await connection.request(`agent.${agent}.ask`, JSON.stringify(value), { timeout: 5_000 })).json<number>(),
    close: () => connection.close(),
  };
}

export function natsAgents(): string {
  return `
import nats from ${clientUrl()};
const [address, first, count, all] = process.argv.slice(2);
for (let agent = Number(first); agent < Number(first) + Number(count); agent += 1) {
  const connection = await nats.connect({ servers: [address] });
  connection.subscribe(\`agent.\${agent}.echo\`, { callback: (_, message) => message.respond(JSON.stringify(message.json())) });
  connection.subscribe(\`agent.\${agent}.ask\`, {
    callback: async (_, message) => {
      const value = JSON.stringify(message.json());
      connection.publish(\`agent.\${agent}.asked\`, value);
      const answer = await connection.request(\`agent.\${(agent + 1) % all}.echo\`, value, { timeout: 4_000 });
      message.respond(JSON.stringify(answer.json()));
    },
  });
  await connection.flush();
}
process.send('ready');
`;
}

function clientUrl(): string {
  return JSON.stringify(pathToFileURL(createRequire(import.meta.url).resolve('@nats-io/transport-node')).href);
}

const source = `
const connection = await nats.connect({ servers: [process.argv[2]] });
let report = { count: 0, sum: 0 };
connection.subscribe('work', {
  callback: (_, message) => {
    report.count += 1;
    report.sum += message.json().value;
  },
});
connection.subscribe('report', {
  callback: (_, message) => {
    message.respond(JSON.stringify(report));
    report = { count: 0, sum: 0 };
  },
});
connection.subscribe('ask', { callback: (_, message) => message.respond(JSON.stringify(message.json())) });
await connection.flush();
process.send('ready');
`;
