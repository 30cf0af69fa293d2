/**
 * The files that someone outside of the tree starts or imports: what a package's manifest offers, programs, files that a
 * framework finds by their place, and files that configuration names. Whatever such a file exports is used.
 */
import type { ManifestFacts } from './collect-manifests.ts';
import { mentionedScripts, type PackageManifest } from './manifest.ts';
import { folderOf, isInside, nameOf } from './path.ts';
import type { ImportResolver } from './resolve-import.ts';
import { roleOf } from './role.ts';

export interface EntryPoints {
  /** Offered by a manifest as something to import. */
  readonly offered: ReadonlySet<string>;
  /** Started or loaded by something that is no import: programs, routes, configuration. */
  readonly loaded: ReadonlySet<string>;
  /** Folders of packages with a door whose source was not found: there, what nobody imports may still be an entry. */
  readonly unclear: ReadonlySet<string>;
}

const FRAMEWORKS =
  /^(next|nuxt|astro|gatsby|expo-router|vike|@remix-run\/.+|@react-router\/dev|@sveltejs\/kit|@solidjs\/start|@tanstack\/react-start|@nestjs\/core|nitropack|@angular\/core|ember-source|@docusaurus\/core|vitepress|fastify-autoload|@fastify\/autoload|@adonisjs\/core|@oclif\/core|storybook)$/;
const FRAMEWORK_FOLDERS =
  /(^|\/)(pages|app|routes|api|middleware|plugins|layouts|composables|server|commands|theme|\.vitepress|config|start|providers|functions)(\/|$)/;
const DEFAULT_ENTRY = /^(src\/|lib\/|app\/)?(index|main|app|server|cli|bin|mod|start)\.[cm]?[jt]sx?$/;

export function entryPoints(paths: readonly string[], manifests: ManifestFacts, resolver: ImportResolver): EntryPoints {
  const entries = { offered: new Set<string>(), loaded: new Set<string>(), unclear: new Set<string>() };
  for (const manifest of manifests.packages) {
    addDoors(manifest, paths, resolver, entries);
    for (const script of Object.values(manifest.scripts)) {
      addMentioned(mentionedScripts(script), manifest.folder, resolver, entries.loaded);
    }
    if (usesFramework(manifest)) addFrameworkFiles(manifest, paths, entries.loaded);
  }
  for (const path of paths) {
    // Where no manifest says what a folder offers, its index does.
    const isDefault = DEFAULT_ENTRY.test(path) || /^(index|main|mod)\.[cm]?[jt]sx?$/.test(nameOf(path));
    if (isDefault && resolver.packageOf(path) === undefined) entries.offered.add(path);
    if (roleOf(path) === 'config' || /(^|\/)\.[^/]+\//.test(path)) entries.loaded.add(path);
  }
  for (const { path, scripts } of manifests.mentions) {
    const folders = new Set([folderOf(path), resolver.packageOf(path)?.folder ?? '', '']);
    for (const folder of folders) addMentioned(scripts, folder, resolver, entries.loaded);
  }
  return entries;
}

function addDoors(
  manifest: PackageManifest,
  paths: readonly string[],
  resolver: ImportResolver,
  entries: { readonly offered: Set<string>; readonly unclear: Set<string> },
): void {
  const doors = doorsOf(manifest).filter((targets) => targets.some(isScriptDoor));
  if (doors.length === 0) addDefaults(paths, manifest.folder, resolver, entries.offered);
  for (const targets of doors) {
    const found = targets.flatMap((target) => resolver.findAll(manifest.folder, target));
    for (const path of found) entries.offered.add(path);
    if (found.length === 0) entries.unclear.add(manifest.folder);
  }
}

function addFrameworkFiles(manifest: PackageManifest, paths: readonly string[], into: Set<string>): void {
  for (const path of paths) {
    const isInPackage = isInside(manifest.folder, path);
    if (isInPackage && FRAMEWORK_FOLDERS.test(folderOf(path.slice(manifest.folder.length)))) into.add(path);
  }
}

/** Each door with all the files it may stand for: one of them found is enough. */
function doorsOf(manifest: PackageManifest): readonly (readonly string[])[] {
  return [
    ...(manifest.mains.length > 0 ? manifest.mains.map((main) => [main]) : []),
    ...Object.values(manifest.exports ?? {}),
  ];
}

function isScriptDoor(target: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(target) || !/\.[a-z0-9]+$/i.test(nameOf(target));
}

function addDefaults(paths: readonly string[], folder: string, resolver: ImportResolver, into: Set<string>): void {
  for (const path of paths) {
    const inside = folder === '' ? path : path.slice(folder.length + 1);
    if (isInside(folder, path) && DEFAULT_ENTRY.test(inside) && (resolver.packageOf(path)?.folder ?? '') === folder)
      into.add(path);
  }
}

function addMentioned(scripts: readonly string[], folder: string, resolver: ImportResolver, into: Set<string>): void {
  for (const script of scripts) {
    // `**/*.ts` names every file and so none: it is a filter of some tool, not an entry.
    if (/^(\.\/)?(\*|[^/]*\/?\*\*)/.test(script)) continue;
    for (const path of resolver.findAll(folder, script)) into.add(path);
  }
}

function usesFramework(manifest: PackageManifest): boolean {
  return manifest.dependencies.some(({ name }) => FRAMEWORKS.test(name));
}
