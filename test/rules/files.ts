/** Where files may be and what none of them may say. */
import { posix } from 'node:path';
import type { Manifest, Workspace } from './workspace.ts';

const rootEntries = [
  ...['README.md', 'CONTRIBUTING.md', 'AGENTS.md', 'LICENSE', '.gitignore', '.editorconfig', 'package.json'],
  ...['pnpm-workspace.yaml', 'pnpm-lock.yaml', 'turbo.json', 'tsconfig.json', 'tsup.config.ts', 'vitest.config.ts'],
  ...['biome.json', 'packages', 'apps', 'benchmarks', 'examples', 'docs', 'test', '.changeset', '.github', '.ci'],
];
const packageEntries = ['package.json', 'README.md', 'CHANGELOG.md', 'src', 'test'];
const configFile =
  /^(?:tsconfig.*\.json|biome\.jsonc?|turbo\.json|\.npmrc|\.eslintrc.*|\.prettierrc.*|.+\.config\.[cm]?[jt]s|pnpm-.*\.yaml|package-lock\.json)$/;
const recorded = /\/(?:recordings|fixtures)\//;

// In pieces, so that this file doesn't name what it looks for.
const packageRegistry = new RegExp(String.raw`\b${'regis'}${'try'}\.(?:[a-z0-9-]+\.)*(?:com|org|net|io|dev|cn)\b`);
// Tests make homes up by the names of one letter and `me`.
const someonesHome = new RegExp(String.raw`(?:/${'home'}|/${'Users'})/(?!me\b)[A-Za-z][\w.-]+|/${'root'}/`);

export function rootHoldsOnlyKnownEntries(workspace: Workspace): readonly string[] {
  const entries = new Set(workspace.files.map((file) => file.split('/')[0] ?? ''));
  return [...entries]
    .filter((entry) => !rootEntries.includes(entry))
    .map((entry) => `${entry}: no entry of the root; a new one needs a reason in docs/decisions.md`);
}

/** Packages and apps look alike, and nothing in them configures a tool. */
export function roomsLookAlike(workspace: Workspace): readonly string[] {
  return workspace.rooms.flatMap(({ folder, files }) => {
    const alike = folder.startsWith('packages/') || folder.startsWith('apps/');
    const entries = new Set(files.map((file) => file.slice(folder.length + 1).split('/')[0] ?? ''));
    const missing = ['README.md', ...(alike ? ['src'] : [])].filter((entry) => !entries.has(entry));
    const strange = alike ? [...entries].filter((entry) => !packageEntries.includes(entry)) : [];
    const config = files.filter((file) => configFile.test(posix.basename(file)) && !recorded.test(file));
    return [
      ...missing.map((entry) => `${folder}: ${entry} is missing`),
      ...strange.map((entry) => `${folder}/${entry}: a package holds ${packageEntries.join(', ')} and nothing else`),
      ...config.map((file) => `${file}: tools are configured at the root only`),
    ];
  });
}

export function scriptsAreFew(workspace: Workspace): readonly string[] {
  const root: Manifest = JSON.parse(workspace.text('package.json'));
  const count = Object.keys(root.scripts ?? {}).length;
  const tooMany = count > 12 ? [`package.json: ${count} scripts, at most 12`] : [];
  const others = workspace.rooms.flatMap(({ folder, manifest }) =>
    Object.keys(manifest.scripts ?? {})
      .filter((script) => script !== 'build' && script !== 'soak')
      .map((script) => `${folder}/package.json: script ${script}; a package has only build and soak`),
  );
  return [...tooMany, ...others];
}

/** No file names the host of a package registry or a folder of whoever wrote it; the lock file holds no address. */
export function filesNameNoPrivatePlace(workspace: Workspace): readonly string[] {
  return workspace.files
    .filter((file) => !recorded.test(file))
    .flatMap((file) => {
      const text = workspace.text(file);
      return [
        ...findLine(file, text, packageRegistry, 'names a package registry'),
        ...(file === 'pnpm-lock.yaml' ? findLine(file, text, /https?:\/\//, 'holds an address') : []),
        ...findLine(file, text, someonesHome, "names a folder in someone's home"),
      ];
    });
}

function findLine(file: string, text: string, pattern: RegExp, problem: string): readonly string[] {
  const found = pattern.exec(text);
  if (found === null) return [];
  const line = text.slice(0, found.index).split('\n').length;
  return [`${file}:${line}: ${problem}: ${found[0]}`];
}
