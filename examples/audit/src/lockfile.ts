/** How many packages a lock file pins, and which of them in several major versions. */
import { nameOf } from './path.ts';

export interface LockfileFact {
  readonly path: string;
  readonly manager: 'npm' | 'pnpm' | 'yarn';
  readonly packages: number;
  /** Packages held in more than one major version, with those versions. */
  readonly repeated: readonly { readonly name: string; readonly versions: readonly string[] }[];
}

/** @returns undefined for a lock file of another kind */
export function parseLockfile(path: string, text: string): LockfileFact | undefined {
  switch (nameOf(path)) {
    case 'package-lock.json':
    case 'npm-shrinkwrap.json':
      return summarize(path, 'npm', npmPackages(text));
    case 'pnpm-lock.yaml':
      return summarize(
        path,
        'pnpm',
        matches(text, /^ {2}'?\/?((?:@[^\s/@]+\/)?[^\s/@']+)[@/]([0-9][^\s:'(]*)[^\s:]*'?:$/gm, 'packages:'),
      );
    case 'yarn.lock':
      return summarize(
        path,
        'yarn',
        matches(text, /^"?((?:@[^\s/@"]+\/)?[^\s/@"]+)@[^\n]*:\n {2}version:? "?([^\s"]+)/gm),
      );
    default:
      return undefined;
  }
}

function npmPackages(text: string): readonly (readonly [string, string])[] {
  let lock: { packages?: Record<string, { version?: unknown; link?: unknown }> };
  try {
    lock = JSON.parse(text);
  } catch {
    return [];
  }
  return Object.entries(lock.packages ?? {}).flatMap(([place, entry]) => {
    const name = place.split('node_modules/').at(-1) ?? '';
    return place.includes('node_modules/') && typeof entry.version === 'string' ? [[name, entry.version] as const] : [];
  });
}

function matches(text: string, expression: RegExp, section?: string): readonly (readonly [string, string])[] {
  const start = section === undefined ? 0 : text.search(new RegExp(`^${section}`, 'm'));
  if (start === -1) return [];
  const rest = text.slice(start + (section?.length ?? 0));
  const end = section === undefined ? -1 : rest.search(/^[a-z]/m);
  const body = end === -1 ? rest : rest.slice(0, end);
  return [...body.matchAll(expression)].map((match) => [match[1] ?? '', match[2] ?? ''] as const);
}

function summarize(
  path: string,
  manager: LockfileFact['manager'],
  pinned: readonly (readonly [string, string])[],
): LockfileFact {
  const versions = new Map<string, Set<string>>();
  for (const [name, version] of pinned) versions.set(name, (versions.get(name) ?? new Set()).add(version));
  const repeated = [...versions]
    .map(([name, held]) => ({ name, versions: [...held].sort() }))
    .filter(({ versions: held }) => new Set(held.map(majorOf)).size > 1)
    .sort((a, b) => b.versions.length - a.versions.length || (a.name < b.name ? -1 : 1));
  const packages = [...versions.values()].reduce((sum, held) => sum + held.size, 0);
  return { path, manager, packages, repeated: repeated.slice(0, 50) };
}

/** What semantic versioning calls incompatible: `1`, but `0.3` below one. */
function majorOf(version: string): string {
  const [major = '', minor = ''] = version.split('.');
  return major === '0' ? `0.${minor}` : major;
}
