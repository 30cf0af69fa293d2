import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import ndjson from 'ndjson';
import type { AgentRecord } from '../data.ts';

export async function readRecords(path: string, visit: (record: AgentRecord) => void): Promise<void> {
  await finished(createReadStream(path).pipe(ndjson.parse()).on('data', visit));
}

/** Each line that a program prints, parsed. */
export async function runJsonProgram(
  command: string,
  args: readonly string[],
  visit: (value: unknown) => void,
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await finished(child.stdout.pipe(ndjson.parse()).on('data', visit));
}
