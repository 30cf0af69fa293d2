import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import split2 from 'split2';
import type { AgentRecord } from '../data.ts';

/** As its README says: the parser is the mapper. */
export async function readRecords(path: string, visit: (record: AgentRecord) => void): Promise<void> {
  await finished(createReadStream(path).pipe(split2(JSON.parse)).on('data', visit));
}

/** Parses only the lines that hold `text`. */
export async function readRecordsHolding(
  path: string,
  text: string,
  visit: (record: AgentRecord) => void,
): Promise<void> {
  const parse = (line: string) => (line.includes(text) ? JSON.parse(line) : undefined);
  await finished(createReadStream(path).pipe(split2(parse)).on('data', visit));
}

/** The same where nobody wants what is found; returns the bytes that were read. */
export async function passOverRecords(path: string, text: string): Promise<number> {
  const file = createReadStream(path);
  const parse = (line: string) => (line.includes(text) ? JSON.parse(line) : undefined);
  await finished(file.pipe(split2(parse)).resume());
  return file.bytesRead;
}

/** Each line that a program prints, parsed. */
export async function runJsonProgram(
  command: string,
  args: readonly string[],
  visit: (value: unknown) => void,
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await finished(child.stdout.pipe(split2(JSON.parse)).on('data', visit));
}
