/**
 * Control groups, version 2. A child cgroup is made beside the caller's own by the shell that becomes the program, and named
 * after that shell, so that a sweep knows it again. Processes are born into it, and `cgroup.kill` ends all of them, those
 * being forked just then too. Who may write to the hierarchy may also leave it: root, and the user it is delegated to.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Container } from './container.ts';
import { bootIdentity, type ProcessIdentity, procAvailable, type StartedProcess } from './process-table.ts';
import { helperProgram, shell } from './run-folder.ts';
import { quote } from './shell-words.ts';

const probePrefix = 'spawner-probe-';
/** Far longer than one takes. */
const probeLastsMs = 60_000;

let problem: Promise<string | undefined> | undefined;

/** Why programs can't be put in cgroups here; undefined where they can. Tried once, for real. */
export function cgroupProblem(): Promise<string | undefined> {
  problem ??= tryCgroup();
  return problem;
}

/** A line of shell, for `runScript`, that puts the shell in a cgroup of its own. */
export async function cgroupLine(parent: string, digest: string): Promise<string> {
  const folder = `${quote(`${parent}/spawner-`)}"$1-$2"${quote(`-${digest}`)}`;
  return `${quote(await helperProgram('mkdir'))} ${folder} && echo 0 >${folder}/cgroup.procs`;
}

export function cgroupOf(parent: string, digest: string, { pid, startTicks }: StartedProcess): string {
  return join(parent, `spawner-${pid}-${startTicks}-${digest}`);
}

/** The folder of this process's own cgroup; undefined where no cgroup v2 is mounted. */
export function ownCgroup(): string | undefined {
  const mount = cgroupMount();
  const path = /^0::(.*)$/m.exec(procAvailable ? readFileSync('/proc/self/cgroup', 'utf8') : '')?.[1];
  if (mount === undefined || path === undefined) return undefined;
  const inMount = mount.root === '/' ? path : path.startsWith(mount.root) ? path.slice(mount.root.length) : undefined;
  return inMount === undefined ? undefined : join(mount.point, inMount);
}

export function openCgroup(folder: string): Container {
  return {
    members: (rows) => {
      const pids = new Set(pidsIn(folder));
      return rows.filter(({ pid }) => pids.has(pid));
    },
    isEmpty: () =>
      !/^populated 1$/m.test(unlessGone(() => readFileSync(join(folder, 'cgroup.events'), 'latin1')) ?? ''),
    kill: () => unlessGone(() => writeFileSync(join(folder, 'cgroup.kill'), '1')),
    release: () => removeCgroup(folder),
  };
}

/** The cgroups of programs that were started by whoever has crashed since. Cost: one look at every cgroup of the system. */
export function leftCgroups(digest: string | undefined, identities: readonly ProcessIdentity[]): readonly string[] {
  const mount = cgroupMount();
  if (mount === undefined) return [];
  const wanted = new Set(identities.map(({ pid, startTime }) => `${pid} ${startTime}`));
  return cgroupsIn(mount.point).filter((folder) => {
    const [, pid, ticks, mark] = /^spawner-(\d+)-(\d+)-(\w+)$/.exec(basename(folder)) ?? [];
    return mark !== undefined && (mark === digest || wanted.has(`${pid} ${bootIdentity()}:${ticks}`));
  });
}

async function tryCgroup(): Promise<string | undefined> {
  const parent = ownCgroup();
  if (parent === undefined) return 'no cgroup v2 is mounted';
  const folder = join(parent, `${probePrefix}${randomUUID()}`);
  try {
    mkdirSync(folder);
    removeOldProbes(parent);
  } catch (error) {
    return `${parent} can't be written to (${String(error)}); delegate it, as \`systemd-run --user --scope -p Delegate=yes\` does`;
  }
  try {
    if (!existsSync(join(folder, 'cgroup.kill'))) return 'the kernel is older than 5.14 and has no cgroup.kill';
    const joining = spawn(shell, ['-c', 'echo 0 >"$1"', 'sh', join(folder, 'cgroup.procs')], { stdio: 'ignore' });
    const [code] = await once(joining, 'exit');
    return code === 0 ? undefined : `processes can't be moved from ${parent} into a cgroup below it`;
  } finally {
    rmdirSync(folder);
  }
}

/** Those of processes that were killed in the middle of a probe. */
function removeOldProbes(parent: string): void {
  for (const name of readdirSync(parent).filter((each) => each.startsWith(probePrefix))) {
    const folder = join(parent, name);
    const { mtimeMs = Infinity } = statSync(folder, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > probeLastsMs) removeCgroup(folder);
  }
}

function cgroupMount(): { readonly root: string; readonly point: string } | undefined {
  if (!procAvailable) return undefined;
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((entry) => entry.includes(' - cgroup2 '));
  const [, , , root, point] = line?.split(' ') ?? [];
  return root === undefined || point === undefined ? undefined : { root: plainPath(root), point: plainPath(point) };
}

/** Spaces and the like stand there as three octal digits. */
function plainPath(path: string): string {
  return path.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Of it and those the program made below it. */
function pidsIn(folder: string): readonly number[] {
  return [folder, ...cgroupsIn(folder)].flatMap((each) =>
    (unlessGone(() => readFileSync(join(each, 'cgroup.procs'), 'latin1')) ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map(Number),
  );
}

/** Those below a cgroup, the deepest last. */
function cgroupsIn(folder: string): readonly string[] {
  const entries = unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  return folders.flatMap((each) => [each, ...cgroupsIn(each)]);
}

function removeCgroup(folder: string): void {
  for (const each of [folder, ...cgroupsIn(folder)].reverse()) {
    try {
      unlessGone(() => rmdirSync(each));
    } catch (error) {
      // Somebody in it has survived, and is reported: a later sweep finds it here.
      if (!(error instanceof Error && 'code' in error && error.code === 'EBUSY')) throw error;
    }
  }
}

function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENODEV') return undefined;
    throw error;
  }
}
