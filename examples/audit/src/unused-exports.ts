/**
 * Answers: which exports does nobody use, and which files does nobody import?
 *
 * A use is followed through any chain of re-exports to the file that declares the name. What a manifest offers, a test
 * imports, a configuration names or a comment marks `@public` is used. Types that their own file uses are left alone: they
 * name the parameters of what is exported.
 */
import type { Collected } from './collect.ts';
import type { ManifestFacts } from './collect-manifests.ts';
import { type EntryPoints, entryPoints } from './entry-points.ts';
import { type Analysis, analysis, type Finding, listNames, plural } from './finding.ts';
import { buildModuleGraph, type ModuleEdge } from './module-graph.ts';
import { type FileRole, roleOf } from './role.ts';
import type { FileSyntax } from './syntax.ts';
import type { ExportFact } from './syntax-exports.ts';

export interface UnusedExportMeasures {
  readonly exports: number;
  readonly unused: number;
  readonly usedOnlyByTests: number;
  readonly unimportedFiles: number;
}

export function analyseUnusedExports(needs: {
  readonly syntax: Collected<FileSyntax>;
  readonly manifests: ManifestFacts;
}): Analysis<UnusedExportMeasures> {
  const { files } = needs.syntax;
  const graph = buildModuleGraph(files, needs.manifests);
  const entries = entryPoints(
    files.map((file) => file.path),
    needs.manifests,
    graph.resolver,
  );
  const uses = traceUses(files, graph.edges, entries, (from, specifier) => {
    const target = graph.resolver.resolve(from, specifier);
    return target.kind === 'file' ? target.path : undefined;
  });
  const imported = new Set(graph.edges.filter((edge) => edge.from !== edge.to).map((edge) => edge.to));
  const findings: Finding[] = [];
  const measures = { exports: 0, unused: 0, usedOnlyByTests: 0, unimportedFiles: 0 };
  for (const file of files) {
    const role = roleOf(file.path);
    if (!isJudged(role) || file.commonjs || file.errors.length > 0) continue;
    measures.exports += file.exports.length;
    const unused = file.exports.filter((fact) => !uses.all.has(useKey(file.path, fact.name)) && !fact.declaredPublic);
    measures.usedOnlyByTests += file.exports.filter(
      (fact) => !uses.bySource.has(useKey(file.path, fact.name)) && uses.all.has(useKey(file.path, fact.name)),
    ).length;
    if (!imported.has(file.path) && !entries.offered.has(file.path) && !entries.loaded.has(file.path)) {
      if (
        file.exports.length === 0 ||
        role !== 'source' ||
        isUnclear(file.path, entries, graph.resolver.packageOf(file.path)?.folder)
      )
        continue;
      if (unused.length < file.exports.length) continue;
      measures.unimportedFiles += 1;
      measures.unused += unused.length;
      findings.push(unimportedFile(file));
      continue;
    }
    const dead = unused.filter((fact) => !fact.usedHere);
    const inner = unused.filter((fact) => fact.usedHere && fact.kind !== 'type');
    measures.unused += dead.length + inner.length;
    if (dead.length > 0) findings.push(deadExports(file.path, dead));
    if (inner.length > 0) findings.push(innerExports(file.path, inner));
  }
  const commonjs = files.filter((file) => file.commonjs && isJudged(roleOf(file.path))).length;
  const notes =
    commonjs > 0
      ? [
          `The exports of ${plural(commonjs, 'CommonJS file')} were not judged: their names are not certain without running them.`,
        ]
      : [];
  return analysis(findings, measures, [...needs.syntax.notes, ...notes]);
}

function useKey(path: string, name: string): string {
  return `${path}\0${name}`;
}

function isJudged(role: FileRole): boolean {
  return role === 'source' || role === 'support';
}

function isUnclear(path: string, entries: EntryPoints, folder = ''): boolean {
  return entries.unclear.has(folder) || path.includes('/.');
}

interface Uses {
  readonly all: ReadonlySet<string>;
  readonly bySource: ReadonlySet<string>;
}

function traceUses(
  files: readonly FileSyntax[],
  edges: readonly ModuleEdge[],
  entries: EntryPoints,
  resolve: (from: string, specifier: string) => string | undefined,
): Uses {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const all = new Set<string>();
  const bySource = new Set<string>();
  const visited = new Set<string>();
  const use = (path: string, name: string, byTest: boolean): void => {
    const key = `${useKey(path, name)}\0${byTest}`;
    const file = byPath.get(path);
    if (visited.has(key) || file === undefined) return;
    visited.add(key);
    if (name === '*') {
      for (const fact of file.exports) use(path, fact.name, byTest);
    } else {
      all.add(useKey(path, name));
      if (!byTest) bySource.add(useKey(path, name));
    }
    const isOwn = name !== '*' && file.exports.some((fact) => fact.name === name);
    for (const passed of file.reexports) {
      const target = resolve(path, passed.specifier);
      if (target === undefined) continue;
      if (passed.names === '*') {
        if (!isOwn && name !== 'default') use(target, name, byTest);
      } else {
        for (const [here, there] of passed.names) if (name === '*' || name === here) use(target, there, byTest);
      }
    }
  };
  for (const edge of edges) {
    if (edge.kind === 'reexport' || edge.kind === 'type-reexport') continue;
    const byTest = roleOf(edge.from) === 'test';
    if (edge.names === '*') use(edge.to, '*', byTest);
    else for (const name of edge.names) use(edge.to, name, byTest);
  }
  for (const path of [...entries.offered, ...entries.loaded]) use(path, '*', false);
  return { all, bySource };
}

function deadExports(file: string, facts: readonly ExportFact[]): Finding {
  return {
    kind: 'unused-export',
    severity: 'medium',
    file,
    line: facts[0]?.line ?? null,
    title: `${plural(facts.length, 'export')} that nothing uses: ${listNames(facts.map((fact) => fact.name))}`,
    reason:
      'No file of the tree imports the name, tests included, its own file does not use it either, and no manifest offers it: it can go.',
    effort: 'minutes',
    ...(facts.length > 1 && { related: facts.map((fact) => ({ file, line: fact.line })) }),
  };
}

function innerExports(file: string, facts: readonly ExportFact[]): Finding {
  return {
    kind: 'unused-export',
    severity: 'low',
    file,
    line: facts[0]?.line ?? null,
    title: `${plural(facts.length, 'export')} used only inside the file: ${listNames(facts.map((fact) => fact.name))}`,
    reason: 'Without `export` a reader knows that every use is on this page, and it may be changed freely.',
    effort: 'minutes',
    ...(facts.length > 1 && { related: facts.map((fact) => ({ file, line: fact.line })) }),
  };
}

function unimportedFile(file: FileSyntax): Finding {
  return {
    kind: 'unused-file',
    severity: 'medium',
    file: file.path,
    line: null,
    title: `no file imports it (${plural(file.exports.length, 'export')}: ${listNames(file.exports.map((fact) => fact.name))})`,
    reason:
      'It is no entry of its package, and no script, configuration or string of the tree names it: it is dead, or loaded in a way that only runs tell.',
    effort: 'minutes',
  };
}
