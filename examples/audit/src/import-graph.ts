/** Answers: which files load each other in a circle, and which imports lead nowhere? */
import type { Collected } from './collect.ts';
import type { ManifestFacts } from './collect-manifests.ts';
import { type Analysis, analysis, type Finding, plural } from './finding.ts';
import { buildModuleGraph, loadsAtOnce, shortestCycle, stronglyConnected } from './module-graph.ts';
import { compareText, extensionOf, nameOf } from './path.ts';
import { roleOf } from './role.ts';
import type { FileSyntax } from './syntax.ts';

export interface ImportGraphMeasures {
  readonly files: number;
  readonly edges: number;
  readonly cycles: number;
  readonly filesInCycles: number;
  readonly syntaxErrors: number;
  /** How many other files import each file, for those with five importers and more. */
  readonly importers: Readonly<Record<string, number>>;
  /** Imports between packages or top folders, the heaviest first. */
  readonly between: readonly { readonly from: string; readonly to: string; readonly imports: number }[];
}

export function analyseImportGraph(needs: {
  readonly syntax: Collected<FileSyntax>;
  readonly manifests: ManifestFacts;
}): Analysis<ImportGraphMeasures> {
  const { files } = needs.syntax;
  const graph = buildModuleGraph(files, needs.manifests);
  const targets = new Map<string, string[]>();
  const importers = new Map<string, Set<string>>();
  const between = new Map<string, number>();
  const areaOf = (path: string) =>
    graph.resolver.packageOf(path)?.folder || (path.includes('/') ? (path.split('/')[0] ?? '') : '.');
  for (const edge of graph.edges) {
    if (edge.kind === 'mention') continue;
    importers.set(edge.to, (importers.get(edge.to) ?? new Set()).add(edge.from));
    const key = `${areaOf(edge.from)}\0${areaOf(edge.to)}`;
    if (areaOf(edge.from) !== areaOf(edge.to)) between.set(key, (between.get(key) ?? 0) + 1);
    if (!loadsAtOnce(edge)) continue;
    const known = targets.get(edge.from) ?? [];
    if (!known.includes(edge.to)) known.push(edge.to);
    targets.set(edge.from, known);
  }
  const groups = stronglyConnected(targets).filter((group) => group.some((path) => roleOf(path) !== 'test'));
  const lineOfEdge = (from: string, to: string) =>
    graph.edges.find((edge) => edge.from === from && edge.to === to && loadsAtOnce(edge))?.line ?? 1;
  const cycles = groups.map((group): Finding => {
    const path = shortestCycle(group, targets);
    const [first = '', second = ''] = path;
    const related = path
      .slice(0, -1)
      .map((file, index) => ({ file, line: lineOfEdge(file, path[index + 1] ?? first) }));
    return {
      kind: 'import-cycle',
      severity: group.length >= 8 ? 'high' : 'medium',
      file: first,
      line: lineOfEdge(first, second),
      title: group.length === 1 ? 'imports itself' : `${plural(group.length, 'file')} load each other in a circle`,
      reason: `${path.slice(0, 7).map(nameOf).join(' → ')}${path.length > 7 ? ' → …' : ''}: which of them runs first depends on who is imported first, and none can be understood or tested alone.`,
      effort: group.length >= 8 ? 'days' : 'hours',
      related,
    };
  });
  const errors = files.flatMap((file) => syntaxErrors(file));
  const missing = graph.missing.filter(isWorthSaying).map(
    (entry): Finding => ({
      kind: 'missing-import',
      severity: 'medium',
      file: entry.from,
      line: entry.line,
      title: `imports ${JSON.stringify(entry.specifier)}, which is not there`,
      reason: 'No file of the tree answers to this path: it was moved, deleted, or never added to version control.',
      effort: 'minutes',
    }),
  );
  return analysis(
    [...cycles, ...errors, ...missing],
    {
      files: files.length,
      edges: new Set(graph.edges.filter((edge) => edge.kind !== 'mention').map((edge) => `${edge.from}\0${edge.to}`))
        .size,
      cycles: groups.length,
      filesInCycles: groups.reduce((sum, group) => sum + group.length, 0),
      syntaxErrors: files.filter((file) => file.errors.length > 0).length,
      importers: Object.fromEntries(
        [...importers]
          .filter(([, from]) => from.size >= 5)
          .map(([path, from]) => [path, from.size] as const)
          .sort((a, b) => compareText(a[0], b[0])),
      ),
      between: [...between]
        .map(([key, imports]) => ({ from: key.split('\0')[0] ?? '', to: key.split('\0')[1] ?? '', imports }))
        .sort((a, b) => b.imports - a.imports || compareText(a.from + a.to, b.from + b.to))
        .slice(0, 60),
    },
    needs.syntax.notes,
  );
}

function syntaxErrors(file: FileSyntax): readonly Finding[] {
  const [first] = file.errors;
  if (first === undefined) return [];
  return [
    {
      kind: 'syntax-error',
      severity: roleOf(file.path) === 'source' ? 'high' : 'medium',
      file: file.path,
      line: first.line,
      title: `does not parse: ${first.message}`,
      reason: `The parser reports ${file.errors.length >= 5 ? 'at least 5 errors' : plural(file.errors.length, 'error')}; what else the audit says of this file may be incomplete.`,
      effort: 'minutes',
    },
  ];
}

/** Files that a build makes are imported and not in the tree: only what is plainly a hand-written script counts. */
function isWorthSaying(entry: { readonly from: string; readonly specifier: string }): boolean {
  const extension = extensionOf(entry.specifier);
  const isScript =
    /^\.[cm]?[jt]sx?$/.test(extension) ||
    extension === '' ||
    !/^\.(json|css|scss|less|svg|png|jpe?g|gif|wasm|node|vue|svelte|html|md|mdx|txt|graphql|ya?ml)$/.test(extension);
  const isBuilt =
    /(^|\/)(dist|build|lib|out|output|generated|__generated__|gen|\.[a-z][\w-]*|node_modules|coverage|pkg|target)(\/|$)/.test(
      entry.specifier,
    );
  const from = roleOf(entry.from);
  const isPlain = !/[*?!$<>{}]|\.d$/.test(entry.specifier);
  return (
    isScript &&
    !isBuilt &&
    isPlain &&
    (from === 'source' || from === 'support') &&
    !/\+types\//.test(entry.specifier) &&
    !/\.(vue|svelte|astro|mdx|html)$/.test(entry.from)
  );
}
