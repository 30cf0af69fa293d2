/**
 * What a file takes from others: imports in all their spellings, each with the names it really uses. Where a name cannot
 * be told from the file alone (a namespace handed on, a dynamic import kept in a variable) all names count as used: a
 * question answered "used" by mistake costs less than a finding that is false.
 */
import ts from 'typescript';
import { lineOf } from './script-position.ts';

/**
 * `import` at the top of the file, `lazy` while it runs (`import()`, or `require` inside a function), `require` at the
 * top, `type` for what the compiler erases, `resolve` for a module whose path alone is asked for, `mock` for a test's
 * replacement, `comment` for a JSDoc type, `pattern` for `import()` of a template, whose specifier holds one star.
 */
export type ImportKind = 'import' | 'lazy' | 'require' | 'type' | 'resolve' | 'mock' | 'comment' | 'pattern';

export interface ImportFact {
  readonly specifier: string;
  readonly line: number;
  readonly kind: ImportKind;
  /** `*` for all; empty for an import for its effects. */
  readonly names: readonly string[] | '*';
}

interface Binding {
  readonly fact: { specifier: string; line: number; typeOnly: boolean };
  readonly namespace: boolean;
  readonly name: string;
  usedAsValue: boolean;
}

export function importsOf(file: ts.SourceFile): readonly ImportFact[] {
  const facts: ImportFact[] = [];
  const bindings = new Map<string, Binding>();
  const grouped = new Map<Binding['fact'], { names: Set<string>; all: boolean; value: boolean }>();
  for (const statement of file.statements) {
    if (ts.isImportDeclaration(statement)) bindImport(file, statement, bindings, grouped);
  }
  collect(file, file, facts, bindings, grouped);
  const erases = /\.[cm]?tsx?$/.test(file.fileName);
  for (const [fact, { names, all, value }] of grouped) {
    const type = fact.typeOnly || (erases && !value && (names.size > 0 || all));
    facts.push({
      specifier: fact.specifier,
      line: fact.line,
      kind: type ? 'type' : 'import',
      names: all ? '*' : [...names].sort(),
    });
  }
  for (const reference of file.referencedFiles) {
    const specifier = reference.fileName.startsWith('.') ? reference.fileName : `./${reference.fileName}`;
    facts.push({ specifier, line: lineOf(file, reference.pos), kind: 'comment', names: '*' });
  }
  for (const reference of file.typeReferenceDirectives) {
    facts.push({ specifier: reference.fileName, line: lineOf(file, reference.pos), kind: 'comment', names: '*' });
  }
  const known = new Set(facts.map((fact) => fact.specifier));
  for (const match of file.text.matchAll(
    /@import\b[^'"\n]*from\s*['"]([^'"\n]+)['"]|\{[^}\n]*\bimport\(['"]([^'"\n]+)['"]\)/g,
  )) {
    const specifier = match[1] ?? match[2] ?? '';
    if (known.has(specifier) || specifier === '') continue;
    facts.push({ specifier, line: lineOf(file, match.index), kind: 'comment', names: '*' });
  }
  return facts.sort((a, b) => a.line - b.line || (a.specifier < b.specifier ? -1 : 1));
}

function bindImport(
  file: ts.SourceFile,
  statement: ts.ImportDeclaration,
  bindings: Map<string, Binding>,
  grouped: Map<Binding['fact'], { names: Set<string>; all: boolean; value: boolean }>,
): void {
  if (!ts.isStringLiteral(statement.moduleSpecifier)) return;
  const clause = statement.importClause;
  const fact = {
    specifier: statement.moduleSpecifier.text,
    line: lineOf(file, statement.getStart(file)),
    typeOnly: clause?.isTypeOnly ?? false,
  };
  const group = { names: new Set<string>(), all: false, value: clause === undefined };
  grouped.set(fact, group);
  const bind = (local: ts.Identifier, name: string, namespace: boolean) => {
    if (!namespace) group.names.add(name);
    bindings.set(local.text, { fact, namespace, name, usedAsValue: false });
  };
  if (clause?.name !== undefined) bind(clause.name, 'default', false);
  const named = clause?.namedBindings;
  if (named !== undefined && ts.isNamespaceImport(named)) bind(named.name, '*', true);
  if (named !== undefined && ts.isNamedImports(named)) {
    for (const element of named.elements) bind(element.name, (element.propertyName ?? element.name).text, false);
  }
}

function collect(
  node: ts.Node,
  file: ts.SourceFile,
  facts: ImportFact[],
  bindings: Map<string, Binding>,
  grouped: Map<Binding['fact'], { names: Set<string>; all: boolean; value: boolean }>,
): void {
  if (ts.isImportDeclaration(node)) return;
  if (ts.isIdentifier(node)) noteUse(node, bindings, grouped);
  const fact = factOf(node, file);
  if (fact !== undefined) facts.push(fact);
  ts.forEachChild(node, (child) => collect(child, file, facts, bindings, grouped));
}

function noteUse(
  node: ts.Identifier,
  bindings: Map<string, Binding>,
  grouped: Map<Binding['fact'], { names: Set<string>; all: boolean; value: boolean }>,
): void {
  const binding = bindings.get(node.text);
  if (binding === undefined || isMereName(node)) return;
  const group = grouped.get(binding.fact);
  if (group === undefined) return;
  if (!isErased(node)) group.value = true;
  if (!binding.namespace) return;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node) group.names.add(parent.name.text);
  else if (ts.isQualifiedName(parent) && parent.left === node) group.names.add(parent.right.text);
  else if (ts.isElementAccessExpression(parent) && ts.isStringLiteral(parent.argumentExpression)) {
    group.names.add(parent.argumentExpression.text);
  } else group.all = true;
}

/** A property's or member's own name that happens to be spelled like the binding. */
function isMereName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent))
    return parent.name === node;
  if (ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent)) return parent.name === node;
  return ts.isJsxAttribute(parent) && parent.name === node;
}

function isErased(node: ts.Identifier): boolean {
  let at: ts.Node = node;
  while (ts.isQualifiedName(at.parent) || (ts.isPropertyAccessExpression(at.parent) && at.parent.expression === at))
    at = at.parent;
  if (ts.isTypeQueryNode(at.parent) || ts.isTypeReferenceNode(at.parent)) return true;
  if (ts.isExportSpecifier(at.parent)) return at.parent.isTypeOnly || at.parent.parent.parent.isTypeOnly;
  if (ts.isExpressionWithTypeArguments(at.parent)) {
    const clause = at.parent.parent;
    return (
      ts.isHeritageClause(clause) &&
      (clause.token === ts.SyntaxKind.ImplementsKeyword || ts.isInterfaceDeclaration(clause.parent))
    );
  }
  return ts.isPartOfTypeNode(at);
}

function factOf(node: ts.Node, file: ts.SourceFile): ImportFact | undefined {
  const line = () => lineOf(file, node.getStart(file));
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
    const specifier = node.moduleReference.expression;
    if (!ts.isStringLiteral(specifier)) return undefined;
    return { specifier: specifier.text, line: line(), kind: node.isTypeOnly ? 'type' : 'require', names: '*' };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, line: line(), kind: 'type', names: '*' };
  }
  if (ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name) && ts.isExternalModule(file)) {
    return { specifier: node.name.text, line: line(), kind: 'comment', names: [] };
  }
  if (!ts.isCallExpression(node)) return undefined;
  const [argument] = node.arguments;
  if (argument === undefined) return undefined;
  const kind = callKind(node);
  if (kind === undefined) return undefined;
  if (ts.isStringLiteralLike(argument)) {
    const names = kind === 'mock' || kind === 'resolve' ? [] : namesTaken(node);
    return { specifier: argument.text, line: line(), kind, names };
  }
  if (kind !== 'lazy' || !ts.isTemplateExpression(argument)) return undefined;
  const specifier = `${argument.head.text}*${argument.templateSpans.at(-1)?.literal.text ?? ''}`;
  return { specifier, line: line(), kind: 'pattern', names: '*' };
}

function callKind(node: ts.CallExpression): ImportKind | undefined {
  const { expression } = node;
  if (expression.kind === ts.SyntaxKind.ImportKeyword) return 'lazy';
  if (ts.isIdentifier(expression) && expression.text === 'require') return isInFunction(node) ? 'lazy' : 'require';
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  const name = expression.name.text;
  const owner = expression.expression.getText();
  if (name === 'resolve' && (owner === 'require' || owner === 'import.meta')) return 'resolve';
  const mocks = ['mock', 'doMock', 'unmock', 'importActual', 'requireActual', 'importMock', 'unstable_mockModule'];
  if ((owner === 'vi' || owner === 'jest' || owner === 'vitest') && mocks.includes(name)) return 'mock';
  return undefined;
}

/** The names that `const { a } = await import(…)` or `require(…).a` takes. */
function namesTaken(call: ts.CallExpression): readonly string[] | '*' {
  let at: ts.Node = call;
  while (ts.isAwaitExpression(at.parent) || ts.isParenthesizedExpression(at.parent)) at = at.parent;
  const { parent } = at;
  if (ts.isExpressionStatement(parent)) return [];
  if (ts.isPropertyAccessExpression(parent) && at !== call) return [parent.name.text];
  if (!ts.isVariableDeclaration(parent) || !ts.isObjectBindingPattern(parent.name)) return '*';
  if (at === call && call.expression.kind === ts.SyntaxKind.ImportKeyword) return '*';
  const names: string[] = [];
  for (const element of parent.name.elements) {
    const name = element.propertyName ?? element.name;
    if (element.dotDotDotToken !== undefined || !ts.isIdentifier(name)) return '*';
    names.push(name.text);
  }
  return names.sort();
}

function isInFunction(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) if (ts.isFunctionLike(at)) return true;
  return false;
}
