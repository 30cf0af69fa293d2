/**
 * One holder of a file at a time, by a lock that the kernel takes back when the holder dies, however it dies. A lock
 * file can't do that: whoever finds a stale one and removes it may be removing a fresh one.
 *
 * Linux: a Unix-domain socket in the abstract namespace, named by the file's device and inode. The name is free the
 * moment the holder is gone; asked over the socket, a holder answers with its process id. Names are apart in
 * different network namespaces. Windows: the same with a named pipe. macOS and the BSDs: a second descriptor of the
 * file opened with O_EXLOCK, that is flock(2). Tested on Linux only.
 */
import { close, open } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { JsonlError, JsonlLogLockedError } from './errors.ts';
import type { FileIdentity } from './file-ops.ts';

export interface FileLock {
  release(): Promise<void>;
}

/** @throws {JsonlLogLockedError} JSONL_LOG_LOCKED when it is held, by another process or by this one. */
export async function lockFile(path: string, identity: FileIdentity): Promise<FileLock> {
  const name = `cadre-jsonl-${identity.device}-${identity.inode}`;
  switch (process.platform) {
    case 'linux':
    case 'android':
      return lockByName(path, `\0${name}`);
    case 'win32':
      return lockByName(path, `\\\\.\\pipe\\${name}`);
    case 'darwin':
    case 'freebsd':
    case 'openbsd':
    case 'netbsd':
      return lockByFlock(path);
    default:
      throw new JsonlError(
        'JSONL_LOG_LOCK_UNSUPPORTED',
        `No lock that outlives no process is known on ${process.platform}; open ${path} with mode 'shared'.`,
      );
  }
}

async function lockByName(path: string, name: string): Promise<FileLock> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.unref();
    socket.end(`${process.pid}\n`, () => socket.destroy());
  });
  // The lock must not be what keeps a finished program running.
  server.unref();
  try {
    await listen(server, name);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    throw new JsonlLogLockedError(path, await askHolder(name), { cause: error });
  }
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Exclusive, or a cluster's workers would all share the primary's one socket.
    server.listen({ path: name, exclusive: true }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** A stopped holder never answers, so it is given little time: its lock holds all the same. */
function askHolder(name: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ path: name });
    socket.setTimeout(300, () => socket.destroy());
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
      if (answer.length > 32) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(/^\d{1,10}\n$/.test(answer) ? Number(answer) : undefined));
  });
}

/** From <fcntl.h> of Darwin and the BSDs; Node has no names for the lock. */
const openExclusivelyLocked = 0x20;
const openNonBlocking = 0x4;

async function lockByFlock(path: string): Promise<FileLock> {
  try {
    const file = await promisify(open)(path, openExclusivelyLocked | openNonBlocking);
    return { release: () => promisify(close)(file) };
  } catch (error) {
    if (!hasCode(error, 'EAGAIN')) throw error;
    throw new JsonlLogLockedError(path, undefined, { cause: error });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
