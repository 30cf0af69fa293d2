/**
 * What a child sees of the environment. An allow-list, never a deny-list: a secret that nobody thought of stays here.
 */

/** Names taken from the parent's environment unless `inheritEnv` says otherwise; a trailing `*` stands for any ending. */
export const defaultInheritedEnvironment: readonly string[] = Object.freeze([
  'PATH',
  'HOME',
  'LANG',
  'LANGUAGE',
  'LC_*',
  'TMPDIR',
  'TMP',
  'TEMP',
  'TZ',
  'USER',
  'LOGNAME',
  'SHELL',
  'TERM',
  'COLORTERM',
  'NO_COLOR',
]);

/** An environment variable whose value identifies processes; the value must be unguessable. */
export interface ProcessMarker {
  readonly name: string;
  readonly value: string;
}

/**
 * Every process that is started carries, in this variable, the ids of the `spawnProcess` calls it descends from, joined
 * by dots. It survives a double fork and `setsid`, which parent ids and process groups don't.
 */
const lineageVariable = 'SPAWNER_LINEAGE';

const maxLineageDepth = 32;

/** The part of `parent` that `inheritEnv` names, then `env`, then the marker, then the lineage. */
export function childEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  inheritEnv: readonly string[],
  env: Readonly<Record<string, string>>,
  marker: ProcessMarker | undefined,
  lineageId: string,
): Record<string, string> {
  const result: Record<string, string> = Object.create(null);
  for (const name of inheritedNames(parent, inheritEnv)) {
    const value = parent[name];
    if (value !== undefined) result[name] = value;
  }
  for (const [name, value] of Object.entries(env)) result[name] = value;
  if (marker !== undefined) result[marker.name] = marker.value;
  const lineage = parent[lineageVariable]?.split('.') ?? [];
  result[lineageVariable] = [...lineage.slice(1 - maxLineageDepth), lineageId].join('.');
  return result;
}

/** Apart from what marks a process as ours, which those who start and await a program for us do without. */
export function splitEnvironment(whole: Readonly<Record<string, string>>, marker: ProcessMarker | undefined) {
  const marks = new Set([lineageVariable, ...(marker === undefined ? [] : [marker.name])]);
  const part = (ours: boolean): Record<string, string> =>
    Object.fromEntries(Object.entries(whole).filter(([name]) => marks.has(name) === ours));
  return { env: part(false), exports: part(true) };
}

/** Recognises the descendants of one `spawnProcess` call by their environment. */
export function lineageMatch(lineageId: string) {
  return { name: lineageVariable, accepts: (value: string): boolean => value.split('.').includes(lineageId) };
}

export function checkEnvironment(option: string, env: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || /[=\0]/.test(name)) {
      throw new TypeError(`${option} names must be non-empty and without "=" or NUL, got ${JSON.stringify(name)}`);
    }
    if (typeof value !== 'string' || value.includes('\0')) {
      throw new TypeError(`${option}.${name} must be a string without NUL, got ${describe(value)}`);
    }
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' ? 'a string with NUL' : typeof value;
}

/** Each look into `process.env` is a call of the system's library: only what is wanted is looked for. */
function inheritedNames(parent: Readonly<Record<string, unknown>>, inheritEnv: readonly string[]): readonly string[] {
  const exact = inheritEnv.filter((pattern) => !pattern.endsWith('*'));
  const prefixes = inheritEnv.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  if (prefixes.length === 0) return exact;
  const matching = Object.keys(parent).filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
  return [...exact, ...matching];
}
