/**
 * PID namespaces. The program runs in one of its own: whatever it starts is born there and can't leave, and when the first
 * process of the namespace ends, the kernel ends all the others before it lets go of that one. From outside in: the
 * _holder_ (`unshare`, whose death ends the namespace), the _first process_ (a shell that buries orphans), an `awk` that awaits
 * the program and writes down how it ended, and the program, in a session of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname } from 'node:path';
import type { Container } from './container.ts';
import { findProgram } from './find-program.ts';
import { type ProcessIdentity, type ProcessRow, procAvailable, readProcessRow } from './process-table.ts';
import { awaitingCommand, folderPrefix, shell } from './run-folder.ts';
import { sendSignal } from './send-signal.ts';

/** The `/proc` from outside, by which the program's shell learns what its pid is there. */
export const outerProc = 9;

/** Ends with the awk: no exec may take the place of the shell, which is there to bury orphans. */
const firstProcess = '"$@"; exit 0';
const openOuterProc = `exec ${outerProc}</proc; exec "$@"`;
const plainFlags = ['--pid', '--fork', '--kill-child', '--mount-proc'];
/** For those who may not make namespaces but in a user namespace of their own. */
const userFlags = ['--user', '--map-current-user', ...plainFlags];

interface Unshare {
  readonly program: string;
  readonly flags: readonly string[];
}

let possible: Promise<Unshare | string> | undefined;

/** Why programs can't have PID namespaces here; undefined where they can. Tried once, for real. */
export async function namespaceProblem(): Promise<string | undefined> {
  const found = await unshare();
  return typeof found === 'string' ? found : undefined;
}

/** Starts the `run` of a folder in a namespace, and awaits it. @param digest what a sweep knows the namespace by */
export async function namespaceCommand(directory: string, digest: string): Promise<readonly string[]> {
  const found = await unshare();
  if (typeof found === 'string') throw new Error(found);
  const first = [shell, '-c', firstProcess, nameOf(digest), ...(await awaitingCommand(directory))];
  return [shell, '-c', openOuterProc, shell, found.program, ...found.flags, ...first];
}

/**
 * The namespace that a program is in. Its first process and awk, who have the holder's session, are no members: they end by
 * themselves once the program has, and the awk may not go before.
 */
export function openNamespace(program: ProcessIdentity, holder: ProcessIdentity | undefined): Container {
  const id = namespaceOf(program.pid);
  const isItself = readProcessRow(program.pid)?.startTime === program.startTime;
  return namespaces(new Set(isItself && id !== undefined ? [id] : []), holder === undefined ? [] : [holder]);
}

/** Those of programs among `rows` that were started with this marker, or are named. */
export function leftNamespaces(
  rows: readonly ProcessRow[],
  digest: string | undefined,
  programs: readonly ProcessIdentity[],
): Container {
  const named = new Set(programs.map(({ pid }) => namespaceOf(pid)));
  const found = rows.flatMap((row) => {
    const first = firstProcessOf(row);
    const isWanted = digest !== undefined && first?.name === nameOf(digest);
    return first !== undefined && (isWanted || named.has(namespaceOf(row.pid))) ? [{ ...first, row }] : [];
  });
  const ids = found.map(({ row }) => namespaceOf(row.pid)).filter((id) => id !== undefined);
  const container = namespaces(
    new Set(ids),
    found.map(({ row }) => row),
  );
  return { ...container, release: () => removeFolders(found.map(({ folder }) => folder)) };
}

/** @param lasts processes that live as long as anybody in the namespaces does */
function namespaces(ids: ReadonlySet<string>, lasts: readonly ProcessIdentity[]): Container {
  const own = namespaceOf(process.pid);
  let first: readonly ProcessRow[] = [];
  return {
    members: (rows) => {
      const inside = rows.filter(({ pid, alive }) => {
        const id = alive ? namespaceOf(pid) : undefined;
        return id !== undefined && id !== own && ids.has(id);
      });
      const outside = new Set(rows.map(({ pid }) => pid));
      for (const { pid } of inside) outside.delete(pid);
      // The only one in it whose parent is not.
      first = inside.filter(({ parentPid }) => outside.has(parentPid));
      const sessions = new Set(first.map(({ sessionId }) => sessionId));
      return inside.filter(({ sessionId }) => !sessions.has(sessionId));
    },
    isEmpty: () => !lasts.some(isThere),
    kill: () => {
      for (const row of first) if (isThere(row)) sendSignal(row.pid, 'SIGKILL');
    },
    release: () => undefined,
  };
}

function isThere({ pid, startTime }: ProcessIdentity): boolean {
  const row = readProcessRow(pid);
  return row?.startTime === startTime && row.alive;
}

function unshare(): Promise<Unshare | string> {
  possible ??= tryNamespaces();
  return possible;
}

async function tryNamespaces(): Promise<Unshare | string> {
  const program = await findProgram('unshare');
  if (!procAvailable || program === undefined) return '`unshare` of util-linux is not on PATH';
  let said = '';
  for (const flags of [plainFlags, userFlags]) {
    const probe = [
      program,
      ...flags,
      shell,
      '-c',
      `read -r line </proc/self/fd/${outerProc}/self/stat && echo "$line"`,
    ];
    const child = spawn(shell, ['-c', openOuterProc, shell, ...probe], { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed += chunk.toString('latin1');
      });
    }
    const [code] = await once(child, 'close');
    // Its own pid there would be 1.
    if (code === 0 && /^\d+ \(/.test(printed) && !printed.startsWith('1 ')) return { program, flags };
    said = printed.trim();
  }
  return `\`unshare --pid\` is refused (${said}); allow user namespaces (kernel.unprivileged_userns_clone, seccomp, AppArmor), or run as root`;
}

function nameOf(digest: string): string {
  return `spawner-namespace-${digest}`;
}

/** Undefined for what is not the first process of a namespace of ours. */
function firstProcessOf(row: ProcessRow): { readonly name: string; readonly folder: string } | undefined {
  try {
    const words = readFileSync(`/proc/${row.pid}/cmdline`, 'utf8').split('\0');
    const [, , script, name = ''] = words;
    return words[0] === shell && script === firstProcess ? { name, folder: dirname(words.at(-2) ?? '') } : undefined;
  } catch {
    // Gone meanwhile, and its namespace with it.
    return undefined;
  }
}

/** Those that whoever has crashed would have removed; the folder of a detached attempt is not one of them. */
function removeFolders(folders: readonly string[]): void {
  for (const folder of folders) {
    if (basename(folder).startsWith(folderPrefix) && dirname(folder) === tmpdir())
      rmSync(folder, { recursive: true, force: true });
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // Gone, or another user's, and then not in a namespace of ours.
    return undefined;
  }
}
