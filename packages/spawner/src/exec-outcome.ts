/** What the small programs that start and await for us say, in the terms of a spawn of our own. */
import { constants } from 'node:os';
import type { ChildExit } from './child-handle.ts';

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** From what `system()` of awk returned: an exit code, or 256 (512 where it left a core) and the number of a signal. */
export function exitOfStatus(status: number): ChildExit {
  const atMs = performance.now();
  if (status <= 256) return { code: status, signalName: null, atMs };
  return { code: null, signalName: signalNames.get(status % 256) ?? null, atMs };
}

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** The error that a failed spawn would have had, from the number that the system gave. */
export function errnoError(number: number): Error {
  const code = errnoNames.get(number) ?? 'UNKNOWN';
  return Object.assign(new Error(`exec ${code}`), { code, errno: -number });
}

const execCodes: readonly (readonly [RegExp, string])[] = [
  [/too long/i, 'E2BIG'],
  [/permission denied/i, 'EACCES'],
  [/exec format/i, 'ENOEXEC'],
  [/cannot allocate|not enough memory/i, 'ENOMEM'],
  [/text file busy/i, 'ETXTBSY'],
  [/not found|no such file/i, 'ENOENT'],
];

/** The error that a failed spawn would have had, from a shell's words, which are those of the C library. */
export function execError(said: string): Error {
  const code = execCodes.find(([pattern]) => pattern.test(said))?.[1] ?? 'UNKNOWN';
  return Object.assign(new Error(`exec ${code}: ${said.trim()}`), { code });
}
