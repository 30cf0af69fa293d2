/** The files of the tree joined by their imports, with the cycles among them. */
import type { ManifestFacts } from './collect-manifests.ts';
import { compareText, folderOf } from './path.ts';
import { createImportResolver, type ImportResolver } from './resolve-import.ts';
import type { FileSyntax } from './syntax.ts';
import type { ImportKind } from './syntax-imports.ts';

export interface ModuleEdge {
  readonly from: string;
  readonly to: string;
  readonly line: number;
  readonly kind: ImportKind | 'reexport' | 'type-reexport' | 'mention';
  readonly names: readonly string[] | '*';
}

export interface ModuleGraph {
  readonly edges: readonly ModuleEdge[];
  readonly missing: readonly { readonly from: string; readonly specifier: string; readonly line: number }[];
  readonly resolver: ImportResolver;
}

export function buildModuleGraph(files: readonly FileSyntax[], manifests: ManifestFacts): ModuleGraph {
  const resolver = createImportResolver(
    files.map((file) => file.path),
    manifests,
  );
  const edges: ModuleEdge[] = [];
  const missing: { from: string; specifier: string; line: number }[] = [];
  for (const file of files) {
    const add = (specifier: string, line: number, kind: ModuleEdge['kind'], names: ModuleEdge['names']) => {
      const resolution = resolver.resolve(file.path, specifier);
      if (resolution.kind === 'file') edges.push({ from: file.path, to: resolution.path, line, kind, names });
      else if (resolution.kind === 'missing') missing.push({ from: file.path, specifier, line });
    };
    for (const fact of file.imports) {
      if (fact.kind !== 'pattern') add(fact.specifier, fact.line, fact.kind, fact.names);
      else if (fact.specifier.startsWith('.')) {
        for (const to of resolver.findAll(folderOf(file.path), fact.specifier))
          edges.push({ from: file.path, to, line: fact.line, kind: 'lazy', names: '*' });
      }
    }
    for (const fact of file.reexports) {
      add(
        fact.specifier,
        fact.line,
        fact.typeOnly ? 'type-reexport' : 'reexport',
        fact.names === '*' ? '*' : fact.names.map(([, name]) => name),
      );
    }
    for (const path of file.paths) {
      const owner = resolver.packageOf(file.path)?.folder ?? '';
      const to = resolver.find(folderOf(file.path), path) ?? resolver.find(owner, path) ?? resolver.find('', path);
      const isImported =
        file.imports.some((fact) => fact.specifier === path) || file.reexports.some((fact) => fact.specifier === path);
      if (to !== undefined && to !== file.path && !isImported)
        edges.push({ from: file.path, to, line: 1, kind: 'mention', names: '*' });
    }
  }
  edges.sort((a, b) => compareText(a.from, b.from) || a.line - b.line || compareText(a.to, b.to));
  return { edges, missing, resolver };
}

/** Whether an import makes one file wait for the other while the program loads. */
export function loadsAtOnce(edge: ModuleEdge): boolean {
  return edge.kind === 'import' || edge.kind === 'require' || edge.kind === 'reexport';
}

/**
 * The groups of nodes that can all reach each other, of two and more, or of one that leads to itself.
 * Cost: O(nodes + edges).   Source: Tarjan, "Depth-first search and linear graph algorithms" (1972), without recursion.
 */
export function stronglyConnected(targets: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const groups: (readonly string[])[] = [];
  const enter = (node: string) => {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    stack.push(node);
    onStack.add(node);
    return { node, next: 0 };
  };
  const leave = (node: string) => {
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.lastIndexOf(node));
    for (const member of group) onStack.delete(member);
    if (group.length > 1 || targets.get(node)?.includes(node)) groups.push(group.sort(compareText));
  };
  for (const root of [...targets.keys()].sort(compareText)) {
    if (index.has(root)) continue;
    const path = [enter(root)];
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const target = targets.get(frame.node)?.[frame.next];
      frame.next += 1;
      if (target === undefined) {
        path.pop();
        leave(frame.node);
        const parent = path.at(-1)?.node;
        if (parent !== undefined) low.set(parent, Math.min(low.get(parent) ?? 0, low.get(frame.node) ?? 0));
      } else if (!index.has(target)) path.push(enter(target));
      else if (onStack.has(target)) low.set(frame.node, Math.min(low.get(frame.node) ?? 0, index.get(target) ?? 0));
    }
  }
  return groups.sort((a, b) => compareText(a[0] ?? '', b[0] ?? ''));
}

/** A shortest way from the group's first node back to itself, that node first and last. */
export function shortestCycle(
  group: readonly string[],
  targets: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const members = new Set(group);
  const start = group[0] ?? '';
  const cameFrom = new Map<string, string>();
  const pending = [start];
  for (let at = 0; at < pending.length; at += 1) {
    const node = pending[at] ?? '';
    for (const target of targets.get(node) ?? []) {
      if (target === start) {
        const path = [start, node];
        for (let back = node; back !== start; path.push(back)) back = cameFrom.get(back) ?? start;
        return node === start ? [start, start] : path.reverse();
      }
      if (members.has(target) && !cameFrom.has(target)) {
        cameFrom.set(target, node);
        pending.push(target);
      }
    }
  }
  return group;
}
