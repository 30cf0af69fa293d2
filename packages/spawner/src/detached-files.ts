/**
 * The folder of a detached attempt, and what runs in it. A shell claims the folder and becomes an `awk` that starts the
 * program, waits, and writes down how it ended; both outlive whoever started them. Every record is one line written by
 * one call, so that a reader sees all of it or nothing: a line without its end of line is no record.
 */
import type { ContainmentRecord } from './containment.ts';
import { runFile } from './run-folder.ts';

export const attemptFile = {
  /** Who and what, written by the parent before the start. */
  attempt: 'attempt.json',
  /** Made by whoever is first to decide whether the program will ever run: its shim, or an adopter that found neither. */
  claim: 'claim',
  ...runFile,
  stdin: 'stdin',
  stdout: 'stdout',
  stderr: 'stderr',
} as const;

export interface AttemptRecord {
  readonly version: 1;
  readonly command: string;
  readonly cwd: string;
  readonly path: string;
  readonly lineageId: string;
  readonly bootId: string;
  readonly startedAtMs: number;
  /** Missing in attempts of earlier versions, which are trees. */
  readonly containment?: ContainmentRecord;
}

/** `$1` is the folder, the rest the command that starts the program and waits. Noclobber is O_EXCL: only one can make the claim. */
export const shimScript = `
set -C
echo "$$" >"$1/claim" || exit
set +C
shift
unset PWD OLDPWD SHLVL _
exec "$@"
`;
