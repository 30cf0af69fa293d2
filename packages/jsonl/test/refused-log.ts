/** What `programs/append-until-refused.mjs` said, and whether the files it left bear it out. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type InvalidLine, readJsonlValues } from '../src/index.ts';

export interface RefusedLog {
  readonly seed: number;
  readonly mode: 'exclusive' | 'shared';
  /** The first so many records. */
  readonly acknowledged: number;
  /** The code of the first append that was refused, and of what caused it. */
  readonly error: string;
  readonly cause: string;
  /** Codes of the appends after it; 'none' for one that was acknowledged. */
  readonly laterErrors: readonly string[];
  readonly afterRoom: string;
}

export function parseRefusedLogs(output: string): RefusedLog[] {
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/**
 * Every record that was acknowledged is there, in order, and at most the refused one besides; nothing else is, except that
 * one torn, alone on its line. Answers how many bytes of it there are.
 */
export async function checkRefusedLog(path: string, log: RefusedLog, after: readonly unknown[] = []): Promise<number> {
  const values: unknown[] = [];
  const invalid: InvalidLine[] = [];
  for await (const value of readJsonlValues(path, { onInvalid: (line) => invalid.push(line) })) values.push(value);
  const written = values.length - after.length;
  expect(written, JSON.stringify(log)).toBeGreaterThanOrEqual(log.acknowledged);
  expect(written, JSON.stringify(log)).toBeLessThanOrEqual(log.acknowledged + 1);
  for (const [index, value] of values.slice(0, written).entries()) {
    const { bytes } = Object(value);
    const id = `${log.seed}-${index}`;
    expect(value).toEqual({ id, bytes, body: id.padEnd(bytes, '.') });
  }
  expect(values.slice(written)).toEqual(after);
  expect(invalid.length).toBeLessThanOrEqual(1);
  const beginning = `{"id":"${log.seed}-${log.acknowledged}","bytes":`;
  for (const { byteOffset, byteLength } of invalid) {
    const torn = readFileSync(path).toString('latin1', byteOffset, byteOffset + byteLength);
    expect(torn.slice(0, beginning.length)).toBe(beginning.slice(0, torn.length));
  }
  return invalid[0]?.byteLength ?? 0;
}
