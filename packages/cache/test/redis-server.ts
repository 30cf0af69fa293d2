/** A redis-server of a test's own: on a free port of the loopback, in a folder of its own, ended with whoever started it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = 'redis-server';

export const isRedisInstalled = spawnSync(program, ['--version']).status === 0;

export interface RedisServer {
  readonly url: string;
  readonly pid: number;
  /** SIGKILL; what it held is gone. */
  kill(): Promise<void>;
  /** Again, on the same port, empty. */
  start(): Promise<void>;
  /** SIGSTOP: connections stay and nothing answers. */
  freeze(): void;
  thaw(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startRedisServer(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'cadre-redis-'));
  let { port, running } = await launchOnFreePort(folder);
  return {
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return running.pid;
    },
    kill: () => running.kill(),
    async start() {
      running = await launch(port, folder);
    },
    freeze: () => void process.kill(running.pid, 'SIGSTOP'),
    thaw: () => void process.kill(running.pid, 'SIGCONT'),
    async [Symbol.asyncDispose]() {
      await running.kill();
      rmSync(folder, { recursive: true });
    },
  };
}

export function redisOptions(port: number, folder: string): readonly string[] {
  return ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
}

interface Running {
  readonly pid: number;
  kill(): Promise<void>;
}

const supervisor = fileURLToPath(new URL('serve-redis.sh', import.meta.url));

/** Between our finding a port free and the server's taking it somebody else may have. */
async function launchOnFreePort(folder: string): Promise<{ port: number; running: Running }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return { port, running: await launch(port, folder) };
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

async function launch(port: number, folder: string): Promise<Running> {
  const child = spawn('/bin/sh', [supervisor, ...redisOptions(port, folder)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const kill = async () => {
    child.stdin.end();
    await exited;
  };
  const said = await saidUntilReady(child);
  const pid = Number(/^pid (\d+)$/m.exec(said)?.[1]);
  if (said.includes(readyText)) return { pid, kill };
  await kill();
  throw new Error(`redis-server on port ${port} ended before it was ready, saying:\n${said}`);
}

const readyText = 'Ready to accept connections';

/** What the server says until it is ready, or at all. */
function saidUntilReady({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    stdout?.setEncoding('utf8');
    stdout?.on('data', (text: string) => {
      if (said.includes(readyText)) return;
      said += text;
      if (said.includes(readyText)) resolve(said);
    });
    stdout?.once('end', () => resolve(said));
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port');
  return address.port;
}
