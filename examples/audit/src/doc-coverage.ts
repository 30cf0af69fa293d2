/** Answers: which names offered to others are documented nowhere, and which links in the documents lead nowhere? */
import type { Collected } from './collect.ts';
import type { ManifestFacts } from './collect-manifests.ts';
import { entryPoints } from './entry-points.ts';
import type { FilesFacts } from './file-facts.ts';
import { type Analysis, analysis, type Finding, listNames, plural } from './finding.ts';
import type { MarkdownFacts } from './markdown.ts';
import { folderOf, isInside, joinPath, nameOf } from './path.ts';
import { createImportResolver, type ImportResolver } from './resolve-import.ts';
import { roleOf } from './role.ts';
import type { FileSyntax } from './syntax.ts';
import type { ExportFact } from './syntax-exports.ts';

export interface DocCoverageMeasures {
  readonly documents: number;
  readonly publicNames: number;
  readonly documented: number;
  readonly brokenLinks: number;
}

interface DocNeeds {
  readonly docs: Collected<MarkdownFacts>;
  readonly files: FilesFacts;
  readonly syntax: Collected<FileSyntax>;
  readonly manifests: ManifestFacts;
}

export function analyseDocCoverage(needs: DocNeeds): Analysis<DocCoverageMeasures> {
  const scripts = needs.syntax.files;
  const resolver = createImportResolver(
    scripts.map((file) => file.path),
    needs.manifests,
  );
  const offered = publicNames(needs, resolver);
  const undocumented = offered.filter((entry) => !entry.documented);
  const byFile = new Map<string, typeof undocumented>();
  for (const entry of undocumented) byFile.set(entry.file, [...(byFile.get(entry.file) ?? []), entry]);
  const links = brokenLinks(needs);
  return analysis(
    [
      ...[...byFile].map(([file, entries]) =>
        undocumentedNames(
          file,
          entries.map((entry) => entry.fact),
        ),
      ),
      ...missingReadmes(needs),
      ...links,
    ],
    {
      documents: needs.docs.files.length,
      publicNames: offered.length,
      documented: offered.length - undocumented.length,
      brokenLinks: links.length,
    },
    needs.docs.notes,
  );
}

/** What packages offer through their doors, followed to the files that declare it; only packages meant for others. */
function publicNames(needs: DocNeeds, resolver: ImportResolver) {
  const scripts = new Map(needs.syntax.files.map((file) => [file.path, file]));
  const { offered } = entryPoints([...scripts.keys()], needs.manifests, resolver);
  const found = new Map<string, { file: string; fact: ExportFact; documented: boolean }>();
  const visit = (path: string, name: string, seen: Set<string>): void => {
    const file = scripts.get(path);
    if (file === undefined || seen.has(`${path}\0${name}`)) return;
    seen.add(`${path}\0${name}`);
    for (const fact of file.exports) {
      if (name !== '*' && fact.name !== name) continue;
      const documented = fact.documented || fact.declaredPublic || isNamedInDocs(fact.name, path, needs, resolver);
      found.set(`${path}\0${fact.name}`, { file: path, fact, documented });
    }
    for (const passed of file.reexports) {
      const target = resolver.resolve(path, passed.specifier);
      if (target.kind !== 'file') continue;
      if (passed.names === '*') visit(target.path, name, seen);
      else for (const [here, there] of passed.names) if (name === '*' || name === here) visit(target.path, there, seen);
    }
  };
  for (const path of [...offered].sort()) {
    const owner = resolver.packageOf(path);
    const isForOthers = owner !== undefined && !owner.isPrivate && (owner.exports !== null || owner.mains.length > 0);
    if (isForOthers && roleOf(path) === 'source') visit(path, '*', new Set());
  }
  return [...found.values()].filter(({ fact, file }) => fact.name !== 'default' && roleOf(file) === 'source');
}

function isNamedInDocs(name: string, path: string, needs: DocNeeds, resolver: ImportResolver): boolean {
  const folder = resolver.packageOf(path)?.folder ?? '';
  return needs.docs.files.some((document) => isInside(folder, document.path) && document.words.includes(name));
}

function undocumentedNames(file: string, facts: readonly ExportFact[]): Finding {
  const shown = [...facts].sort((a, b) => a.line - b.line);
  return {
    kind: 'undocumented-export',
    severity: 'low',
    file,
    line: shown[0]?.line ?? null,
    title: `${plural(shown.length, 'public name')} without a word about ${shown.length === 1 ? 'it' : 'them'}: ${listNames(shown.map((fact) => fact.name))}`,
    reason: 'Offered to others, with no comment above the declaration, and in no document of its package.',
    effort: shown.length > 5 ? 'hours' : 'minutes',
    ...(shown.length > 1 && { related: shown.slice(0, 30).map((fact) => ({ file, line: fact.line })) }),
  };
}

function missingReadmes(needs: DocNeeds): readonly Finding[] {
  const paths = new Set(needs.files.files.map((file) => file.path.toLowerCase()));
  const hasReadme = (folder: string) =>
    ['readme.md', 'readme', 'readme.rst', 'readme.txt', 'readme.markdown', 'readme.mdx', 'readme.adoc'].some((name) =>
      paths.has(folder === '' ? name : `${folder}/${name}`.toLowerCase()),
    );
  return needs.manifests.packages
    .filter(
      (manifest) =>
        manifest.name !== null &&
        !manifest.isPrivate &&
        ['source', 'config'].includes(roleOf(manifest.path)) &&
        !hasReadme(manifest.folder),
    )
    .map((manifest) => ({
      kind: 'missing-readme' as const,
      severity: 'low' as const,
      file: manifest.path,
      line: null,
      title: `${manifest.name} has no README`,
      reason: 'The package can be published, and its page would be empty.',
      effort: 'hours' as const,
    }));
}

function brokenLinks(needs: DocNeeds): readonly Finding[] {
  const files = new Set(needs.files.files.map((file) => file.path));
  const folders = new Set(needs.files.files.flatMap((file) => ancestors(file.path)));
  const anchors = new Map(needs.docs.files.map((document) => [document.path, new Set(document.anchors)]));
  return needs.docs.files.flatMap((document) =>
    document.links.flatMap(({ target, line }): Finding[] => {
      const problem = problemOf(document.path, target, files, folders, anchors);
      if (problem === undefined) return [];
      const isDead = problem === 'file';
      return [
        {
          kind: 'broken-link',
          severity: 'low',
          file: document.path,
          line,
          title: `links to ${JSON.stringify(target)}, ${isDead ? 'which is not there' : 'a heading that is not there'}`,
          reason: isDead
            ? 'No file or folder of the tree has this path.'
            : 'The document is there; no heading or id in it makes this fragment.',
          effort: 'minutes',
        },
      ];
    }),
  );
}

function problemOf(
  from: string,
  target: string,
  files: ReadonlySet<string>,
  folders: ReadonlySet<string>,
  anchors: ReadonlyMap<string, ReadonlySet<string>>,
): 'file' | 'anchor' | undefined {
  if (/^[a-z][a-z0-9+.-]*:|^\/\/|^\/|[{}$*<>]|^\.\.\/\.\.\/(issues|pull|discussions|wiki)/i.test(target))
    return undefined;
  const [place = '', fragment = ''] = decode(target).split('#');
  const path = place.split('?')[0] ?? '';
  const resolved = path === '' ? from : joinPath(folderOf(from), path);
  // What leaves the tree, or is made by a build, cannot be judged from here.
  if (resolved === undefined || /(^|\/)(dist|build|node_modules|coverage|out|\.[a-z][\w-]*)(\/|$)/.test(resolved))
    return undefined;
  const found = [
    resolved,
    `${resolved}.md`,
    `${resolved}.mdx`,
    `${resolved}/index.md`,
    `${resolved}/README.md`,
    resolved.replace(/\.html$/, '.md'),
  ].find((path) => files.has(path));
  if (found === undefined) return folders.has(resolved) || resolved === '' || !/[./]/.test(path) ? undefined : 'file';
  const known = anchors.get(found);
  if (fragment === '' || known === undefined || /^(L\d+|:~:)/.test(fragment)) return undefined;
  return known.has(fragment) || known.has(fragment.toLowerCase()) || /^user-content-/.test(fragment)
    ? undefined
    : 'anchor';
}

function ancestors(path: string): readonly string[] {
  const found: string[] = [];
  for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) found.push(folder);
  return nameOf(path) === '' ? [] : found;
}

function decode(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    // A stray percent sign: the target is meant as it stands.
    return target;
  }
}
