/** What no reader of JSON lines can be faster than. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { AgentRecord } from '../data.ts';

/** The lines of a file as strings, made before any time is taken, so that only `JSON.parse` of each is left. */
export function readyLines(path: string): (path: string, visit: (record: AgentRecord) => void) => Promise<void> {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return async (_, visit) => {
    for (const line of lines) visit(JSON.parse(line));
  };
}

/** Reads a file piece by piece into one buffer; with `look`, finds the newlines in it. Returns the number of bytes. */
export function passOverFile(path: string, look?: 'forNewlines'): number {
  const file = openSync(path, 'r');
  const buffer = Buffer.allocUnsafeSlow(256 * 1024);
  let position = 0;
  for (;;) {
    const byteCount = readSync(file, buffer, 0, buffer.length, position);
    if (byteCount === 0) break;
    position += byteCount;
    if (look === undefined) continue;
    const bytes = buffer.subarray(0, byteCount);
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1));
  }
  closeSync(file);
  return position;
}
