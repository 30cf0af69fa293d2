/**
 * Answers: which packages are declared and never used, and which are used and not declared?
 *
 * Unused is said only of what nothing names: no import, script, configuration, comment or string. Undeclared is said only
 * of imports that run: types may come from `@types`, and a workspace's root may declare for its private packages.
 */
import type { Collected } from './collect.ts';
import type { ManifestFacts } from './collect-manifests.ts';
import { type Analysis, analysis, type Finding, listNames, plural, type Severity } from './finding.ts';
import type { DependencyFact, PackageManifest } from './manifest.ts';
import { compareText, folderOf, isInside } from './path.ts';
import { createImportResolver, type ImportResolver, packageName } from './resolve-import.ts';
import { roleOf } from './role.ts';
import type { FileSyntax } from './syntax.ts';

export interface DependencyMeasures {
  readonly packages: number;
  readonly declared: number;
  readonly unused: number;
  readonly undeclared: number;
  readonly locked: number;
  readonly repeated: readonly { readonly name: string; readonly versions: readonly string[] }[];
}

interface Use {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** Runs, as opposed to being a type or a mere mention. */
  readonly runs: boolean;
}

/** Programs whose name is not the package's: scripts call these. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  typescript: ['tsc', 'tsserver'],
  '@biomejs/biome': ['biome'],
  '@changesets/cli': ['changeset'],
  '@arethetypeswrong/cli': ['attw'],
  '@angular/cli': ['ng'],
  '@nestjs/cli': ['nest'],
  '@vue/cli-service': ['vue-cli-service'],
  '@playwright/test': ['playwright'],
  '@commitlint/cli': ['commitlint'],
  '@babel/cli': ['babel'],
  '@swc/cli': ['swc'],
  '@graphql-codegen/cli': ['graphql-codegen'],
  '@microsoft/api-extractor': ['api-extractor'],
  '@sveltejs/kit': ['svelte-kit'],
  '@tailwindcss/cli': ['tailwindcss'],
  '@storybook/cli': ['sb', 'storybook'],
  '@napi-rs/cli': ['napi'],
  '@vscode/vsce': ['vsce'],
  'react-scripts': ['react-scripts'],
  'npm-run-all': ['run-s', 'run-p'],
  'npm-run-all2': ['run-s', 'run-p'],
  'webpack-cli': ['webpack'],
  'karma-cli': ['karma'],
  'svelte-check': ['svelte-check'],
  'vue-tsc': ['vue-tsc'],
};

export function analyseDependencies(needs: {
  readonly syntax: Collected<FileSyntax>;
  readonly manifests: ManifestFacts;
}): Analysis<DependencyMeasures> {
  const { manifests, syntax } = needs;
  const resolver = createImportResolver(
    syntax.files.map((file) => file.path),
    manifests,
  );
  const uses = usesOf(syntax.files, manifests, resolver);
  const ambient = new Set(syntax.files.flatMap((file) => file.ambient));
  const judged = manifests.packages.filter((manifest) =>
    ['source', 'config', 'support'].includes(roleOf(manifest.path)),
  );
  const unused = judged.map((manifest) => ({ manifest, names: unusedOf(manifest, manifests, syntax.files, uses) }));
  const undeclared = undeclaredOf(manifests, resolver, uses, ambient);
  return analysis(
    [
      ...unused.flatMap(({ manifest, names }) => unusedFindings(manifest, names)),
      ...undeclared,
      ...lockfileFindings(manifests),
    ],
    {
      packages: manifests.packages.length,
      declared: judged.reduce((sum, manifest) => sum + manifest.dependencies.length, 0),
      unused: unused.reduce((sum, { names }) => sum + names.length, 0),
      undeclared: undeclared.length,
      locked: manifests.lockfiles.reduce((sum, lockfile) => sum + lockfile.packages, 0),
      repeated: manifests.lockfiles.flatMap((lockfile) => lockfile.repeated).slice(0, 20),
    },
    [...syntax.notes, ...manifests.notes],
  );
}

function usesOf(files: readonly FileSyntax[], manifests: ManifestFacts, resolver: ImportResolver): readonly Use[] {
  const names = new Set(
    manifests.packages.flatMap((manifest) => manifest.dependencies.map((dependency) => dependency.name)),
  );
  const workspace = new Set(manifests.packages.map((manifest) => manifest.name));
  return files.flatMap((file) => {
    const uses: Use[] = [];
    const take = (specifier: string, line: number, runs: boolean) => {
      const resolution = resolver.resolve(file.path, specifier);
      const name = packageName(specifier);
      if (resolution.kind === 'package') uses.push({ name: resolution.name, file: file.path, line, runs });
      else if (name !== undefined && (names.has(name) || workspace.has(name)) && resolution.kind !== 'missing')
        uses.push({ name, file: file.path, line, runs: runs && resolution.kind === 'file' });
    };
    for (const fact of file.imports) take(fact.specifier, fact.line, ['import', 'lazy', 'require'].includes(fact.kind));
    for (const fact of file.reexports) take(fact.specifier, fact.line, !fact.typeOnly);
    for (const word of [...file.words, ...file.paths]) {
      const name = packageName(word);
      if (name !== undefined && names.has(name)) uses.push({ name, file: file.path, line: 1, runs: false });
    }
    if (file.jsx)
      for (const name of ['react', 'react-dom', 'preact', 'solid-js', '@emotion/react'])
        if (names.has(name)) uses.push({ name, file: file.path, line: 1, runs: false });
    return uses;
  });
}

function unusedOf(
  manifest: PackageManifest,
  manifests: ManifestFacts,
  files: readonly FileSyntax[],
  uses: readonly Use[],
): readonly DependencyFact[] {
  const inside = files.filter((file) => isInside(manifest.folder, file.path));
  if (inside.length === 0) return [];
  const used = new Set(uses.filter((use) => isInside(manifest.folder, use.file)).map((use) => use.name));
  for (const mention of manifests.mentions)
    if (isInside(manifest.folder, mention.path)) for (const name of mention.packages) used.add(name);
  for (const setting of manifest.settings) {
    const name = packageName(setting);
    if (name !== undefined) used.add(name);
  }
  const inner = manifests.packages.filter((other) => isInside(manifest.folder, other.folder));
  const commands = new Set(
    inner.flatMap((other) => Object.values(other.scripts)).flatMap((script) => script.split(/[\s;&|='"()]+/)),
  );
  const isNamed = (name: string): boolean => {
    const short = name.split('/').at(-1) ?? name;
    return (
      used.has(name) ||
      [name, short, ...(PROGRAMS[name] ?? [])].some(
        (word) => commands.has(word) || commands.has(`./node_modules/.bin/${word}`),
      )
    );
  };
  const isTypescript = inside.some((file) => /\.[cm]?tsx?$/.test(file.path));
  const peers = new Set(
    manifest.dependencies
      .filter((dependency) => dependency.field === 'peerDependencies')
      .map((dependency) => dependency.name),
  );
  return manifest.dependencies.filter((dependency) => !isNeeded(dependency, { isNamed, isTypescript, peers }));
}

function isNeeded(
  dependency: DependencyFact,
  known: {
    readonly isNamed: (name: string) => boolean;
    readonly isTypescript: boolean;
    readonly peers: ReadonlySet<string>;
  },
): boolean {
  const { name, field } = dependency;
  if (field === 'peerDependencies' || field === 'optionalDependencies' || known.peers.has(name)) return true;
  if (known.isNamed(name)) return true;
  if (name === 'typescript' || name === 'tslib' || name === '@types/node') return known.isTypescript;
  // Type packages without a package of their own describe an environment: a compiler setting or nothing names those.
  const typed = /^@types\/(.+)$/.exec(name)?.[1];
  if (typed === undefined) return isLoadedByTools(name) && field === 'devDependencies';
  const base = typed.includes('__') ? `@${typed.replace('__', '/')}` : typed;
  return (
    known.isNamed(base) ||
    ['jest', 'mocha', 'jasmine', 'bun', 'chrome', 'google.maps', 'react', 'react-dom', 'webpack-env', 'chai'].includes(
      base,
    )
  );
}

/** Plugins, presets and peers of tools are found by the tool, under names that no text has to spell out. */
function isLoadedByTools(name: string): boolean {
  return /(^|[/-])(plugin|preset|config|loader|transformer|reporter|adapter|parser|formatter|types?|eslint|stylelint|babel|postcss|rollup|vite|webpack|jest|prettier|remark|rehype|coverage|environment|runner)([/-]|$)|^(husky|lint-staged|jsdom|happy-dom|sass|less|autoprefixer|tailwindcss|core-js|regenerator-runtime|patch-package|simple-git-hooks|lefthook|react-dom|fsevents|pnpm|npm|yarn|bun)$/.test(
    name,
  );
}

/** One finding for what one edit mends: all of a manifest's unused packages of one severity. */
function unusedFindings(manifest: PackageManifest, unused: readonly DependencyFact[]): readonly Finding[] {
  const shipped = unused.filter((dependency) => dependency.field === 'dependencies' && !manifest.isPrivate);
  const inner = unused.filter((dependency) => !shipped.includes(dependency));
  return [
    ...unusedFinding(manifest, shipped, 'medium', '; whoever installs the package installs these too'),
    ...unusedFinding(manifest, inner, 'low', ''),
  ];
}

function unusedFinding(
  manifest: PackageManifest,
  unused: readonly DependencyFact[],
  severity: Severity,
  consequence: string,
): readonly Finding[] {
  const [first] = unused;
  if (first === undefined) return [];
  const names = listNames(
    unused.map((dependency) => dependency.name),
    6,
  );
  return [
    {
      kind: 'unused-dependency',
      severity,
      file: manifest.path,
      line: first.line,
      title: `declares and never uses ${unused.length === 1 ? names : `${plural(unused.length, 'package')}: ${names}`}`,
      reason: `No import, script, configuration or string below ${manifest.folder === '' ? 'the root' : manifest.folder} names ${unused.length === 1 ? 'it' : 'them'}${consequence}.`,
      effort: 'minutes',
      ...(unused.length > 1 && { related: unused.map(({ line }) => ({ file: manifest.path, line })) }),
    },
  ];
}

function undeclaredOf(
  manifests: ManifestFacts,
  resolver: ImportResolver,
  uses: readonly Use[],
  ambient: ReadonlySet<string>,
): readonly Finding[] {
  const missing = new Map<
    string,
    { manifest: PackageManifest; name: string; above: PackageManifest | undefined; uses: Use[] }
  >();
  for (const use of uses) {
    const manifest = resolver.packageOf(use.file);
    const role = roleOf(use.file);
    if (
      !use.runs ||
      manifest === undefined ||
      manifest.name === use.name ||
      role === 'fixture' ||
      ambient.has(use.name)
    )
      continue;
    if (/\.(vue|svelte|astro|mdx|html)$/.test(use.file)) continue;
    if (declares(manifest, use.name)) continue;
    const above = manifests.packages.find(
      (other) => other !== manifest && isInside(other.folder, manifest.folder) && declares(other, use.name),
    );
    // Inside a private package, and in what is never shipped, the workspace root's declaration is enough.
    if (above !== undefined && (manifest.isPrivate || role !== 'source')) continue;
    const key = `${manifest.path}\0${use.name}`;
    const known = missing.get(key) ?? { manifest, name: use.name, above, uses: [] };
    known.uses.push(use);
    missing.set(key, known);
  }
  return [...missing.values()].map((entry) => undeclaredFinding(entry));
}

function declares(manifest: PackageManifest, name: string): boolean {
  return manifest.dependencies.some((dependency) => dependency.name === name);
}

function undeclaredFinding(entry: {
  manifest: PackageManifest;
  name: string;
  above: PackageManifest | undefined;
  uses: readonly Use[];
}): Finding {
  const uses = [...entry.uses].sort((a, b) => compareText(a.file, b.file) || a.line - b.line);
  const inSource = uses.filter((use) => roleOf(use.file) === 'source');
  const first = inSource[0] ?? uses[0];
  const severity =
    inSource.length === 0 ? 'low' : entry.manifest.isPrivate || entry.above !== undefined ? 'medium' : 'high';
  return {
    kind: 'undeclared-dependency',
    severity,
    file: first?.file ?? entry.manifest.path,
    line: first?.line ?? null,
    title: `imports ${entry.name}, which ${entry.manifest.path} does not declare`,
    reason:
      entry.above === undefined
        ? 'It works only as long as another package happens to bring it along.'
        : `Only ${entry.above.path} declares it: whoever installs ${entry.manifest.name ?? 'the package'} alone does not get it.`,
    effort: 'minutes',
    ...(uses.length > 1 && { related: uses.slice(0, 10).map(({ file, line }) => ({ file, line })) }),
  };
}

function lockfileFindings(manifests: ManifestFacts): readonly Finding[] {
  const byFolder = new Map<string, string[]>();
  for (const path of manifests.lockfilePaths) {
    if (!/\.(json|yaml|lock)$/.test(path) || /(cargo|poetry|composer|gemfile)\.lock$/i.test(path)) continue;
    byFolder.set(folderOf(path), [...(byFolder.get(folderOf(path)) ?? []), path]);
  }
  return [...byFolder.values()]
    .filter((paths) => paths.length > 1)
    .map((paths) => ({
      kind: 'lockfile' as const,
      severity: 'medium' as const,
      file: paths[0] ?? '',
      line: null,
      title: `${plural(paths.length, 'lock file')} of different package managers: ${listNames(paths)}`,
      reason: 'Each pins its own versions, so two people who install get two programs.',
      effort: 'minutes' as const,
    }));
}
