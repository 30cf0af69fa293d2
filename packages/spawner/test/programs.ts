/** The child programs beside this file, and the ways tests start them and look at them from outside. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cgroupProblem } from '../src/cgroup.ts';
import { findProgram, type RunningProcess, type SpawnOptions, spawnProcess } from '../src/index.ts';
import { namespaceProblem } from '../src/pid-namespace.ts';

export const onLinux = process.platform === 'linux';

/** Waiting slots can be had, and what is asked of them tested; in CI they must be. */
export const hasSlots =
  onLinux && (process.env.CADRE_REQUIRE_SERVICES === '1' || (await findProgram('perl')) !== undefined);

export function programPath(name: string): string {
  return fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
}

/** Starts one of the programs with nothing inherited but PATH. */
export function start(
  name: string,
  args: readonly string[] = [],
  options: Partial<SpawnOptions> = {},
): Promise<RunningProcess> {
  const command = name.endsWith('.sh') ? 'sh' : process.execPath;
  return spawnProcess({ command, args: [programPath(name), ...args], inheritEnv: ['PATH'], ...options });
}

/** Collects text and lets a test wait until it holds what it waits for. */
export class Transcript {
  text = '';
  readonly #waiting = new Set<() => void>();

  readonly add = (chunk: Uint8Array): void => {
    this.text += Buffer.from(chunk).toString('utf8');
    for (const check of this.#waiting) check();
  };

  until(holds: (text: string) => boolean): Promise<string> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds(this.text)) return;
        this.#waiting.delete(check);
        resolve(this.text);
      };
      this.#waiting.add(check);
      check();
    });
  }
}

/** Reads `/proc` in its own way, so that a mistake in the package can't hide itself. */
export function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export const hostileKinds = ['plain', 'session', 'orphan', 'deaf', 'stopped', 'root'] as const;

/** Those that a tree has besides when it is given a token: they go on under other pids. */
export const fiercerKinds = ['hydra', 'relay', 'escaped'] as const;

/** The pids a hostile tree has named, by kind, once all of `trees` are up. */
export async function hostilePids(
  transcript: Transcript,
  trees = 1,
  kinds: readonly string[] = hostileKinds,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const text = await transcript.until((seen) => (seen.match(/^up \S+ \d+$/gm) ?? []).length === trees * kinds.length);
  const pids = new Map<string, number[]>();
  for (const [, kind = '', pid] of text.matchAll(/^up (\S+) (\d+)$/gm)) {
    pids.set(kind, [...(pids.get(kind) ?? []), Number(pid)]);
  }
  return pids;
}

/** The kinds of a hostile tree of which somebody lives. A look may miss a relay that is handed on meanwhile, so some are taken. */
export function survivingKinds(token: string, looks = 8): readonly string[] {
  const kinds = new Set<string>();
  for (let look = 0; look < looks && kinds.size < hostileKinds.length + fiercerKinds.length; look += 1) {
    for (const command of commandsWith(token).values()) {
      const [before = ''] = command.split(`-${token}\0`);
      kinds.add(before.endsWith('\0') ? 'root' : before.slice(before.lastIndexOf('\0') + 1));
    }
  }
  return [...kinds].sort();
}

/** Ends what no level of ours could: until a look finds nobody with the token among its arguments. */
export function endByToken(token: string): void {
  for (let found = commandsWith(token); found.size > 0; found = commandsWith(token)) {
    for (const pid of found.keys()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone meanwhile: relays don't wait.
      }
    }
  }
}

function commandsWith(token: string): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1');
      if (command.includes(token)) found.set(Number(name), command);
    } catch {
      // Gone meanwhile.
    }
  }
  return found;
}

/** Why a test of a level of containment can't be run here, and must be left out. A cgroup can't be had by installing anything. */
export async function missingContainment(level: string): Promise<string | undefined> {
  if (level === 'cgroup') return cgroupProblem();
  return level === 'pidNamespace' && process.env.CADRE_REQUIRE_SERVICES !== '1' ? namespaceProblem() : undefined;
}
