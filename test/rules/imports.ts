/** Which modules a file names, in every way a module can be named with a constant. */
import ts from 'typescript';

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Erased when compiled: only the declarations of a package still name it. */
  readonly typeOnly: boolean;
}

/** In the order of the file: `import`, `export … from`, `import()`, `import('x')` as a type, `require`, `import.meta.resolve`. */
export function findImports(fileName: string, text: string): readonly Import[] {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest);
  const found: Import[] = [];
  visit(source);
  return found;

  function visit(node: ts.Node): void {
    const named = namedModule(node);
    if (named !== undefined && ts.isStringLiteralLike(named)) {
      const { line } = source.getLineAndCharacterOfPosition(named.getStart(source));
      found.push({ specifier: named.text, line: line + 1, typeOnly: isTypeOnly(node) });
    }
    ts.forEachChild(node, visit);
  }
}

function namedModule(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
    return node.moduleReference.expression;
  }
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  return ts.isCallExpression(node) && takesModule(node.expression) ? node.arguments[0] : undefined;
}

function takesModule(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === 'require';
  if (!ts.isPropertyAccessExpression(callee) || callee.name.text !== 'resolve') return false;
  return (
    ts.isMetaProperty(callee.expression) || (ts.isIdentifier(callee.expression) && callee.expression.text === 'require')
  );
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return node.importClause?.isTypeOnly === true;
  if (ts.isExportDeclaration(node) || ts.isImportEqualsDeclaration(node)) return node.isTypeOnly;
  return ts.isImportTypeNode(node);
}
