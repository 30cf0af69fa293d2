/**
 * The agent that reads what the tree declares about itself: manifests, compiler settings, lock files, and the scripts and
 * packages that other configuration names. What configuration merely mentions counts as used: nobody wants to be told to
 * remove a plugin that a YAML file loads.
 */
import { languageOf } from './language.ts';
import { type LockfileFact, parseLockfile } from './lockfile.ts';
import {
  mentionedPackages,
  mentionedScripts,
  type PackageManifest,
  parseManifest,
  parseTsconfig,
  type TsconfigFact,
} from './manifest.ts';
import { compareText, extensionOf, nameOf } from './path.ts';
import { readText, TOO_LARGE, UnreadFiles } from './read-text.ts';
import { isLockfile, roleOf } from './role.ts';
import { listSourceTree, type SourceFile } from './source-tree.ts';

export interface ManifestFacts {
  readonly packages: readonly PackageManifest[];
  readonly tsconfigs: readonly TsconfigFact[];
  readonly lockfiles: readonly LockfileFact[];
  /** Lock files of any manager, also of those not read further. */
  readonly lockfilePaths: readonly string[];
  /** Files that name scripts or declared packages, with what they name. */
  readonly mentions: readonly {
    readonly path: string;
    readonly scripts: readonly string[];
    readonly packages: readonly string[];
  }[];
  readonly notes: readonly string[];
}

export async function collectManifests(root: string): Promise<ManifestFacts> {
  const tree = await listSourceTree(root);
  const unread = new UnreadFiles();
  const read = async (file: SourceFile) => {
    const result = await readText(root, file);
    if (result.kind === 'text') return result.text;
    if (result.kind === 'too-large' && !isLockfile(file.path)) unread.add(TOO_LARGE, file.path);
    return undefined;
  };
  const packages: PackageManifest[] = [];
  const tsconfigs: TsconfigFact[] = [];
  const lockfiles: LockfileFact[] = [];
  const configuration: { path: string; text: string }[] = [];
  for (const file of tree.files) {
    const name = nameOf(file.path);
    if (!isConfiguration(file.path) || roleOf(file.path) === 'fixture') continue;
    const text = await read(file);
    if (text === undefined) continue;
    if (isLockfile(file.path)) {
      const lockfile = parseLockfile(file.path, text);
      if (lockfile !== undefined) lockfiles.push(lockfile);
    } else if (name === 'package.json') {
      const manifest = parseManifest(file.path, text);
      if (manifest === undefined) unread.add('not read, being no JSON object', file.path);
      else packages.push(manifest);
    } else {
      if (/^(ts|js)config([.-].*)?\.json$/.test(name)) {
        const tsconfig = parseTsconfig(file.path, text);
        if (tsconfig !== undefined) tsconfigs.push(tsconfig);
      }
      configuration.push({ path: file.path, text });
    }
  }
  const names = [...new Set(packages.flatMap((manifest) => manifest.dependencies.map(({ name }) => name)))].sort(
    compareText,
  );
  const mentions = configuration
    .map(({ path, text }) => ({ path, scripts: mentionedScripts(text), packages: mentionedPackages(text, names) }))
    .filter((mention) => mention.scripts.length + mention.packages.length > 0);
  const lockfilePaths = tree.files
    .map(({ path }) => path)
    .filter((path) => isLockfile(path) && roleOf(path) !== 'fixture');
  return { packages, tsconfigs, lockfiles, lockfilePaths, mentions, notes: unread.notes() };
}

function isConfiguration(path: string): boolean {
  const { kind, name } = languageOf(path);
  const extension = extensionOf(path);
  if (isLockfile(path)) return true;
  if (kind === 'data') return !['.xml', '.svg', '.jsonl', '.ndjson'].includes(extension);
  return (
    name === 'Docker' ||
    name === 'Make' ||
    name === 'Shell' ||
    kind === 'style' ||
    extension === '.html' ||
    (extension === '' && nameOf(path).startsWith('.'))
  );
}
