import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DoublingPool } from './doubling-pool.ts';

/** The bare start: no bound on output, no allow-list, nothing ends what it leaves behind. */
export async function runProgram(command: string, args: readonly string[]) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.resume();
  await once(child, 'close');
  return { exitCode: child.exitCode, stdout };
}

/** The same, with each line of its output given to `visit`, parsed and nothing more. */
export async function runJsonProgram(
  command: string,
  args: readonly string[],
  visit: (value: unknown) => void,
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) visit(JSON.parse(line));
  });
  await once(child, 'close');
}

/** The bare start, to its first byte; the end is waited for apart. */
export async function startProgram(command: string, args: readonly string[], onStdout: (chunk: Uint8Array) => void) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', onStdout);
  child.stderr.resume();
  await once(child, 'close');
}

/** A warm child and its channel, and nothing else: one answer is waited for at a time, in order. */
export async function openDoublingChild(directory: string): Promise<DoublingPool> {
  const program = join(directory, 'double-child.mjs');
  writeFileSync(program, "process.on('message', (number) => process.send(number * 2));\nprocess.send('ready');\n");
  const child = fork(program, { execArgv: [] });
  await once(child, 'message');
  const waiting: ((value: number) => void)[] = [];
  child.on('message', (value: number) => waiting.shift()?.(value));
  return {
    run: (argument) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        child.send(argument);
      }),
    async close() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
