/**
 * What holds a program and all it starts, for ending it. A container says who is in it, exactly, and ends all of them at
 * once; where there is none, they are found one by one.
 */
import { createHash } from 'node:crypto';
import type { ProcessMarker } from './environment.ts';
import type { ProcessRow } from './process-table.ts';

/**
 * What an ending reaches. `group`: the program's process group. `tree`: also whoever parent ids, sessions and an id in the
 * environment lead to. `cgroup`: everyone in a control group (v2) of its own. `pidNamespace`: everyone in a PID
 * namespace of its own, which nobody can leave and which ends with the program.
 */
export type ContainmentLevel = 'group' | 'tree' | 'cgroup' | 'pidNamespace';

export interface Container {
  /** Those of `rows` that are in it. */
  members(rows: readonly ProcessRow[]): readonly ProcessRow[];
  /** Also when a look at the processes finds nobody: one that hands on to others quickly enough is never seen. */
  isEmpty(): boolean;
  /** Ends all that are in it, at once. */
  kill(): void;
  /** Once nobody is in it. */
  release(): void;
}

/** What a container is recognised by in a sweep; it stands in names that everybody can read. */
export function markerDigest(marker: ProcessMarker | undefined): string {
  if (marker === undefined) return 'unmarked';
  return createHash('sha256').update(`${marker.name}=${marker.value}`).digest('hex').slice(0, 32);
}

export function joinContainers(containers: readonly Container[]): Container {
  const each = (act: (container: Container) => void): void => {
    for (const container of containers) act(container);
  };
  return {
    members: (rows) => containers.flatMap((container) => container.members(rows)),
    isEmpty: () => containers.every((container) => container.isEmpty()),
    kill: () => each((container) => container.kill()),
    release: () => each((container) => container.release()),
  };
}
