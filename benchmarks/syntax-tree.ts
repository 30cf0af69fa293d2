/** The tree that TypeScript's parser makes of a file, as plain JSON. Worker threads load this file: it needs nothing of ours. */
import ts from 'typescript';

/** A node as plain JSON: its kind, where it starts and ends, and its children. */
export type SyntaxTree = readonly [kind: number, start: number, end: number, children: readonly SyntaxTree[]];

export function parseSource(path: string, text: string): SyntaxTree {
  return toTree(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, false));
}

export function countNodes([, , , children]: SyntaxTree): number {
  return children.reduce((sum, child) => sum + countNodes(child), 1);
}

function toTree(node: ts.Node): SyntaxTree {
  const children: SyntaxTree[] = [];
  ts.forEachChild(node, (child) => {
    children.push(toTree(child));
  });
  return [node.kind, node.pos, node.end, children];
}
