/**
 * The stdin of a program that is spoken to while it runs: a named pipe that the program reads and we write.
 *
 * The spawner gives a program its input once. A shell that does nothing but open the pipe and become the program keeps all
 * that the spawner promises; its script is fixed, and what it is to run comes as arguments.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnProcess } from '@cadre/spawner';

export interface LiveInput {
  /** The command that reads it. */
  reading(command: readonly string[]): readonly string[];
  /** Waits in memory while the program does not read. After the end it does nothing. */
  write(text: string): void;
  /** End of input. */
  end(): void;
  /** After the program has ended. */
  remove(): Promise<void>;
}

/** @throws {Error} where there are no named pipes. Cost: one start of `mkfifo`, about 3 ms. */
export async function openLiveInput(): Promise<LiveInput> {
  const folder = await mkdtemp(join(tmpdir(), 'cadre-input-'));
  const path = join(folder, 'stdin');
  let reader: number | undefined;
  try {
    const { result } = await spawnProcess({ command: 'mkfifo', args: ['-m', '600', path], memorySampleMs: Infinity });
    const { exitCode, stderr } = await result;
    if (exitCode !== 0) throw new Error(`mkfifo ${path} failed: ${stderr.trim()}`);
    // Without a reader the other end can't be opened, and what is written before the program reads would be lost.
    reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return open(folder, path, reader);
  } catch (error) {
    if (reader !== undefined) closeSync(reader);
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function open(folder: string, path: string, reader: number): LiveInput {
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd: writer, readable: false, writable: true });
  // A program may end without having read everything: that is its right, and its end is seen elsewhere.
  socket.on('error', () => undefined);
  let state: 'open' | 'ended' | 'removed' = 'open';
  return {
    reading: (command) => ['/bin/sh', '-c', 'exec "$@" <"$0"', path, ...command],
    write: (text) => {
      if (state === 'open') socket.write(text);
    },
    end: () => {
      if (state !== 'open') return;
      state = 'ended';
      socket.end();
    },
    remove: async () => {
      if (state === 'removed') return;
      state = 'removed';
      socket.destroy();
      closeSync(reader);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
