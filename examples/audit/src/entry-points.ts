/**
 * The files that someone outside of the tree starts or imports: what a package's manifest offers, programs, files that a
 * framework finds by their place, and files that configuration names. Whatever such a file exports is used.
 */
import type { ManifestFacts } from './collect-manifests.ts';
import type { PackageManifest } from './manifest.ts';
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
  const offered = new Set<string>();
  const loaded = new Set<string>();
  const unclear = new Set<string>();
  for (const manifest of manifests.packages) {
    const doors = [...manifest.mains, ...Object.values(manifest.exports ?? {}).flat()].filter(isScriptDoor);
    for (const targets of doorsOf(manifest)) {
      const found = targets.flatMap((target) => resolver.findAll(manifest.folder, target));
      for (const path of found) offered.add(path);
      if (found.length === 0 && targets.some(isScriptDoor)) unclear.add(manifest.folder);
    }
    if (doors.length === 0) addDefaults(paths, manifest.folder, resolver, offered);
    for (const script of Object.values(manifest.scripts))
      addMentioned(script.match(/[\w@./*-]+\.[cm]?[jt]sx?\b/g) ?? [], manifest.folder, resolver, loaded);
    if (usesFramework(manifest)) {
      for (const path of paths) {
        if (isInside(manifest.folder, path) && FRAMEWORK_FOLDERS.test(folderOf(path.slice(manifest.folder.length))))
          loaded.add(path);
      }
    }
  }
  if (manifests.packages.every((manifest) => manifest.folder !== '')) addDefaults(paths, '', resolver, offered);
  for (const { path, scripts } of manifests.mentions) {
    addMentioned(scripts, folderOf(path), resolver, loaded);
    addMentioned(scripts, resolver.packageOf(path)?.folder ?? '', resolver, loaded);
    addMentioned(scripts, '', resolver, loaded);
  }
  for (const path of paths) if (roleOf(path) === 'config' || /(^|\/)\.[^/]+\//.test(path)) loaded.add(path);
  return { offered, loaded, unclear };
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
