/** What a worker thread does with one file: parse it, and count what an engineer would ask about. */
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { countNodes, parseSource, type SyntaxTree } from '../syntax-tree.ts';

export interface FileFacts {
  readonly nodes: number;
  readonly functions: number;
  readonly branches: number;
}

export default function analyseFile(path: string): FileFacts {
  const tree = parseSource(path, readFileSync(path, 'utf8'));
  return {
    nodes: countNodes(tree),
    functions: countKinds(tree, new Set([ts.SyntaxKind.FunctionDeclaration, ts.SyntaxKind.ArrowFunction])),
    branches: countKinds(tree, new Set([ts.SyntaxKind.IfStatement, ts.SyntaxKind.ConditionalExpression])),
  };
}

function countKinds([kind, , , children]: SyntaxTree, wanted: ReadonlySet<number>): number {
  return children.reduce((sum, child) => sum + countKinds(child, wanted), wanted.has(kind) ? 1 : 0);
}
