/** A nats-server for as long as a variant is measured: on a free port of the loopback, which it keeps when it is started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface NatsServer {
  /** For the `servers` of a client. */
  readonly address: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startNatsServer(directory: string): Promise<NatsServer> {
  let { child, port } = await start(directory, '-1');
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    address: `127.0.0.1:${port}`,
    kill,
    async restart() {
      ({ child, port } = await start(directory, port));
    },
    close: kill,
  };
}

async function start(
  directory: string,
  wanted: string,
): Promise<{ readonly child: ChildProcess; readonly port: string }> {
  const options = ['-a', '127.0.0.1', '-p', wanted, '-js', '-sd', join(directory, 'jetstream')];
  const child = spawn('nats-server', options, { stdio: ['ignore', 'ignore', 'pipe'] });
  await once(child, 'spawn');
  let log = '';
  for await (const chunk of child.stderr) {
    log += chunk;
    if (log.includes('Server is ready')) break;
  }
  const port = /client connections on \S+:(\d+)/.exec(log)?.[1];
  if (port === undefined) throw new Error(`nats-server ended: ${log}`);
  return { child, port };
}
