/**
 * Ending what an earlier crash of ours left behind: recognised by pid and start time, and by an unguessable value in the
 * environment, never by a program's name.
 */
import { leftCgroups, openCgroup } from './cgroup.ts';
import { joinContainers, markerDigest } from './container.ts';
import { ProcessFamily } from './descendants.ts';
import { checkEnvironment, type ProcessMarker } from './environment.ts';
import { leftNamespaces } from './pid-namespace.ts';
import { type ProcessIdentity, readProcessTable } from './process-table.ts';
import { checkGrace, defaultGraceMs, type EndReport, endFamily } from './terminate.ts';

const shortestMarkerValue = 16;

export interface SweepOptions {
  /** Processes noted before the crash; one whose pid has a new holder is left alone. */
  readonly identities?: readonly ProcessIdentity[];
  /** Everything that carries exactly this variable and value (Linux; elsewhere only `identities` are followed). */
  readonly marker?: ProcessMarker;
  /** Between TERM and KILL. @default 2000 */
  readonly graceMs?: number;
}

/**
 * Ends the named processes, the marked ones, and the descendants of both. Never this process or its ancestors.
 * The marker's value needs at least 16 characters: it is what keeps a stranger's process from being taken for ours.
 */
export async function sweep(options: SweepOptions): Promise<EndReport> {
  const { identities = [], marker, graceMs = defaultGraceMs } = options;
  checkGrace(graceMs);
  if (marker !== undefined) checkMarker(marker);
  const digest = marker && markerDigest(marker);
  const roots = await stillThemselves(identities);
  const container = joinContainers([
    ...leftCgroups(digest, identities).map(openCgroup),
    leftNamespaces(await readProcessTable(), digest, roots),
  ]);
  const family = new ProcessFamily({
    roots,
    container,
    ...(marker && { environment: { name: marker.name, accepts: (value: string) => value === marker.value } }),
  });
  const report = await endFamily(family, { killAtMs: performance.now() + graceMs });
  container.release();
  return report;
}

export function checkMarker(marker: ProcessMarker): void {
  checkEnvironment('marker', { [marker.name]: marker.value });
  if (marker.value.length < shortestMarkerValue) {
    throw new RangeError(
      `marker.value must have at least ${shortestMarkerValue} characters so that nobody can share it by accident, got ${marker.value.length}; use randomUUID()`,
    );
  }
}

async function stillThemselves(identities: readonly ProcessIdentity[]): Promise<readonly ProcessIdentity[]> {
  if (identities.length === 0) return [];
  const rows = new Map((await readProcessTable()).map((row) => [row.pid, row.startTime]));
  return identities.filter((identity) => rows.get(identity.pid) === identity.startTime);
}
