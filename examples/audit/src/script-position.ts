/** Where a node stands and how its file is to be parsed. */
import ts from 'typescript';
import { extensionOf } from './path.ts';

/** 1-based. */
export function lineOf(file: ts.SourceFile, position: number): number {
  return file.getLineAndCharacterOfPosition(position).line + 1;
}

export function scriptKindOf(path: string): ts.ScriptKind {
  switch (extensionOf(path)) {
    case '.ts':
    case '.mts':
    case '.cts':
      return ts.ScriptKind.TS;
    case '.tsx':
      return ts.ScriptKind.TSX;
    default:
      // Plain JavaScript files with JSX in them are common, and JSX costs nothing where there is none.
      return ts.ScriptKind.JSX;
  }
}
