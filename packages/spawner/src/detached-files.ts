/**
 * The folder of a detached attempt, and what runs in it. A shell claims the folder and becomes an `awk` that starts the
 * program, waits, and writes down how it ended; both outlive whoever started them. Every record is one line written by
 * one call, so that a reader sees all of it or nothing: a line without its end of line is no record.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from './slot-script.ts';

export const attemptFile = {
  /** Who and what, written by the parent before the start. */
  attempt: 'attempt.json',
  /** Made by whoever is first to decide whether the program will ever run: its shim, or an adopter that found neither. */
  claim: 'claim',
  /** `<pid> <start in clock ticks>`, by the shell that then execs the program. */
  started: 'started',
  /** Why the exec failed, as `126` or `127`. */
  failed: 'failed',
  /** What `system()` of awk returned: the exit code, or 256 and the number of the signal. */
  exit: 'exit',
  /** The argv, as a shell text. */
  run: 'run',
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
}

/** `$1` is the folder. Noclobber is O_EXCL: only one can make the claim. */
export const shimScript = `
set -C
echo "$$" >"$1/claim" || exit
set +C
folder=$1
unset PWD OLDPWD SHLVL _
exec awk 'BEGIN {
  folder = ARGV[1]
  quoted = folder
  gsub(/\\047/, "\\047\\\\\\047\\047", quoted)
  status = system("exec setsid sh \\047" quoted "/run\\047")
  print status >(folder "/exit")
}' "$folder"
`;

/** What the program's own shell does before it becomes the program. The environment came with it. */
export function runScript(directory: string, command: string, args: readonly string[], lineage: string): string {
  const file = (name: keyof typeof attemptFile): string => quote(join(directory, attemptFile[name]));
  return [
    'read -r line </proc/self/stat',
    `set -- \${line##*) }`,
    `trap 'echo $? >'${quote(file('failed'))} EXIT`,
    `echo "$$ \${20}" >${file('started')}`,
    'unset line PWD OLDPWD SHLVL _',
    `export SPAWNER_LINEAGE=${quote(lineage)}`,
    `exec ${[command, ...args].map(quote).join(' ')}\n`,
  ].join('\n');
}

/** A record, when it is there and whole. */
export function readRecord(directory: string, name: keyof typeof attemptFile): string | undefined {
  try {
    const text = readFileSync(join(directory, attemptFile[name]), 'utf8');
    return text.endsWith('\n') ? text.trimEnd() : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
