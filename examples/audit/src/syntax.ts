/**
 * One script file's syntax tree, boiled down to the facts that later questions need: what it imports and exports, its
 * functions, its errors. Only parsing, no types: a fact is something the file alone says.
 *
 * Nothing here depends on comments but `documented`, and nothing on sizes or columns, so that rewording a comment leaves
 * the facts as they were and every task that builds on them is reused.
 */
import ts from 'typescript';
import { lineOf, scriptKindOf } from './script-position.ts';
import { type ExportFact, exportsOf, type ReexportFact } from './syntax-exports.ts';
import { type FunctionFact, functionsOf } from './syntax-functions.ts';
import { type ImportFact, importsOf } from './syntax-imports.ts';

export interface FileSyntax {
  readonly path: string;
  readonly imports: readonly ImportFact[];
  readonly exports: readonly ExportFact[];
  readonly reexports: readonly ReexportFact[];
  /** The module assigns to `module.exports` or `exports`: its exports have no reliable names. */
  readonly commonjs: boolean;
  readonly jsx: boolean;
  readonly functions: { readonly count: number; readonly branches: number; readonly notable: readonly FunctionFact[] };
  readonly nodes: number;
  /** Literals that look like a script's path: programs, workers and loaders name files this way. */
  readonly paths: readonly string[];
  /** Literals that could be the name of a package: plugins and presets are named this way. */
  readonly words: readonly string[];
  /** Names of modules that `declare module '…'` describes. */
  readonly ambient: readonly string[];
  readonly errors: readonly { readonly line: number; readonly message: string }[];
}

interface ParsedFile extends ts.SourceFile {
  /** Not in the public types, present since the first versions: what the parser itself found wrong. */
  readonly parseDiagnostics?: readonly ts.DiagnosticWithLocation[];
}

/** @throws {RangeError} when the file is nested more deeply than the stack allows */
export function syntaxOf(path: string, text: string): FileSyntax {
  const file: ParsedFile = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, scriptKindOf(path));
  const seen = survey(file);
  const imports = importsOf(file);
  const exported = exportsOf(file);
  return {
    path,
    imports,
    exports: exported.exports,
    reexports: exported.reexports,
    commonjs: exported.commonjs,
    jsx: seen.jsx,
    functions: functionsOf(file),
    nodes: seen.nodes,
    paths: seen.paths,
    words: seen.words,
    ambient: seen.ambient,
    errors: (file.parseDiagnostics ?? []).slice(0, 5).map((diagnostic) => ({
      line: lineOf(file, diagnostic.start),
      message: ts.flattenDiagnosticMessageText(diagnostic.messageText, ' '),
    })),
  };
}

function survey(file: ts.SourceFile) {
  const paths = new Set<string>();
  const words = new Set<string>();
  const ambient = new Set<string>();
  let nodes = 0;
  let jsx = false;
  const visit = (node: ts.Node): void => {
    nodes += 1;
    if (ts.isStringLiteralLike(node)) {
      if (/^[^\s:*?"<>|\\]+\.[cm]?[jt]sx?$/.test(node.text)) paths.add(node.text);
      else if (/^(@[a-z0-9~][\w.~-]*\/)?[a-z0-9~][\w.~-]*(\/[\w./-]+)?$/.test(node.text) && node.text.length <= 64)
        words.add(node.text);
    } else if (ts.isTemplateExpression(node)) {
      const tail = node.templateSpans.at(-1)?.literal.text ?? '';
      if (/^\/[^\s:*?"<>|\\]+\.[cm]?[jt]sx?$/.test(tail)) paths.add(`.${tail}`);
    } else if (ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name)) {
      ambient.add(node.name.text);
    } else if (ts.isJsxElement(node) || ts.isJsxSelfClosingElement(node) || ts.isJsxFragment(node)) {
      jsx = true;
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { nodes, jsx, paths: first(paths, 200), words: first(words, 200), ambient: first(ambient, 50) };
}

function first(values: ReadonlySet<string>, limit: number): readonly string[] {
  return [...values].sort().slice(0, limit);
}
