/** A private nats-server on a free loopback port, ended by its process id. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasNatsServer = spawnSync('nats-server', ['--version']).status === 0;

export interface NatsServer {
  readonly address: string;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** On the same port, with the same files. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Once it has written that to its log since it was started last. */
  logged(pattern: RegExp): Promise<void>;
}

export async function startNatsServer(extra: (port: number) => readonly string[] = () => []): Promise<NatsServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'cadre-nats-'));
  let child = await start(port, folder, extra(port));
  return {
    address: `127.0.0.1:${port}`,
    async kill(signal) {
      child.kill(signal);
      if (signal === 'SIGKILL' && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
    async restart() {
      child = await start(port, folder, extra(port));
    },
    logged: (pattern) => loggedBy(child, pattern),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function start(port: number, folder: string, extra: readonly string[]): Promise<ChildProcess> {
  const child = spawn('nats-server', ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', String(port), ...extra], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log: ServerLog = { text: '', readers: new Set() };
  logs.set(child, log);
  child.stderr?.on('data', (chunk) => {
    log.text += chunk;
    for (const read of log.readers) read();
  });
  child.stderr?.on('close', () => {
    log.hasEnded = true;
    for (const read of log.readers) read();
  });
  await loggedBy(child, /Server is ready/);
  return child;
}

interface ServerLog {
  text: string;
  hasEnded?: true;
  readonly readers: Set<() => void>;
}

const logs = new WeakMap<ChildProcess, ServerLog>();

async function loggedBy(child: ChildProcess, pattern: RegExp): Promise<void> {
  const log = logs.get(child);
  if (log === undefined) throw new Error('this server was never started');
  let read: () => void = () => undefined;
  await new Promise<void>((resolve, reject) => {
    read = () => {
      if (pattern.test(log.text)) resolve();
      else if (log.hasEnded) reject(new Error(`nats-server ended: ${log.text}`));
    };
    log.readers.add(read);
    read();
  });
  log.readers.delete(read);
}
