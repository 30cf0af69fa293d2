/** A child program of the tests that speaks in lines of JSON. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** The next line it prints, decoded. */
  next(): Promise<Record<string, unknown>>;
  tell(command: string): void;
  exited: Promise<unknown>;
}

export function startChild(program: string, args: readonly string[]): Child {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [file, ...args]);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    exited: once(child, 'exit'),
    async next() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ended without another line`);
      return JSON.parse(value);
    },
    tell: (command) => void child.stdin.write(`${command}\n`),
  };
}
