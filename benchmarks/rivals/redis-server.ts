/** A redis-server for as long as a variant is measured: on a free port of the loopback, keeping nothing on disk. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * The server ends when the shell's input does, which is when we close it or are gone ourselves, however we went. Not waited
 * for until then, it keeps its process id from becoming anybody else's.
 */
const endedWithUs = 'redis-server "$@" </dev/null & exec >/dev/null 2>&1; read -r _; kill -9 $!; wait $!';

export async function startRedisServer(directory: string) {
  const port = await freePort();
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
  const child = spawn('/bin/sh', ['-c', endedWithUs, 'sh', ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let said = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    said += chunk;
    if (said.includes(readyText)) break;
  }
  child.stdout.resume();
  if (!said.includes(readyText)) throw new Error(`redis-server on port ${port} ended before it was ready: ${said}`);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}

const readyText = 'Ready to accept connections';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port');
  return address.port;
}
