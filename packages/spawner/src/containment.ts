/** Choosing what shall hold a program: what was asked for and can be had here, or a refusal that says why not. */
import { cgroupLine, cgroupOf, cgroupProblem, openCgroup, ownCgroup } from './cgroup.ts';
import { type Container, type ContainmentLevel, markerDigest } from './container.ts';
import type { ProcessMarker } from './environment.ts';
import { SpawnError } from './errors.ts';
import { namespaceCommand, namespaceProblem, openNamespace, outerProc } from './pid-namespace.ts';
import type { ProcessIdentity, StartedProcess } from './process-table.ts';

/** `strong`: `pidNamespace`, and `cgroup` where that can't be had. */
export type Containment = ContainmentLevel | 'strong';

/** What an attempt must remember of its containment to be adopted. */
export interface ContainmentRecord {
  readonly level: ContainmentLevel;
  readonly digest: string;
  /** The cgroup in which its own is made. */
  readonly parentCgroup?: string;
}

const meanings: Readonly<Record<Containment, readonly ContainmentLevel[]>> = {
  group: ['group'],
  tree: ['tree'],
  cgroup: ['cgroup'],
  pidNamespace: ['pidNamespace'],
  strong: ['pidNamespace', 'cgroup'],
};

export function resolveContainment(wanted: Containment | readonly Containment[] = 'tree'): readonly ContainmentLevel[] {
  const list = typeof wanted === 'string' ? [wanted] : [...wanted];
  const known = Object.keys(meanings);
  for (const each of list) {
    if (!known.includes(each))
      throw new TypeError(`containment must be one of ${known.join(', ')}, got ${String(each)}`);
  }
  if (list.length === 0) throw new TypeError('containment must name at least one level');
  return list.flatMap((each) => meanings[each]);
}

/** @throws {SpawnError} SPAWN_CONTAINMENT_UNAVAILABLE when none of the levels can be had. */
export async function chooseContainment(
  levels: readonly ContainmentLevel[],
  marker: ProcessMarker | undefined,
): Promise<ContainmentRecord> {
  const problems: string[] = [];
  for (const level of levels) {
    const problem = await problemOf(level);
    const parentCgroup = level === 'cgroup' ? ownCgroup() : undefined;
    if (problem === undefined) return { level, digest: markerDigest(marker), ...(parentCgroup && { parentCgroup }) };
    problems.push(`${level}: ${problem}`);
  }
  const message = `The containment asked for can't be had here. ${problems.join('. ')}. Or allow less: containment: ['strong', 'tree'].`;
  throw new SpawnError('SPAWN_CONTAINMENT_UNAVAILABLE', message);
}

/** What the program's shell must do before it may become the program. */
export async function containmentLines({ parentCgroup, digest }: ContainmentRecord): Promise<readonly string[]> {
  return parentCgroup === undefined ? [] : [await cgroupLine(parentCgroup, digest)];
}

/** What starts the `run` of a folder where the program's own shell is not started directly, and where that shell looks. */
export async function containmentStart(
  record: ContainmentRecord,
  directory: string,
): Promise<{ readonly command: readonly string[]; readonly procDescriptor: number } | undefined> {
  if (record.level !== 'pidNamespace') return undefined;
  return { command: await namespaceCommand(directory, record.digest), procDescriptor: outerProc };
}

/** @param holder the process that was started first, while it lives */
export function containerOf(
  record: ContainmentRecord,
  started: StartedProcess,
  holder: ProcessIdentity | undefined,
): Container | undefined {
  if (record.parentCgroup !== undefined) return openCgroup(cgroupOf(record.parentCgroup, record.digest, started));
  return record.level === 'pidNamespace' ? openNamespace(started, holder) : undefined;
}

async function problemOf(level: ContainmentLevel): Promise<string | undefined> {
  if (level === 'cgroup') return cgroupProblem();
  return level === 'pidNamespace' ? namespaceProblem() : undefined;
}
