/** What a file offers to others: its own exports, and what it passes on from other files. */
import ts from 'typescript';
import { lineOf } from './script-position.ts';

export interface ExportFact {
  readonly name: string;
  readonly line: number;
  readonly kind: 'function' | 'class' | 'variable' | 'type' | 'enum' | 'namespace' | 'expression';
  /** A comment stands directly above the declaration. */
  readonly documented: boolean;
  /** The file itself uses the name too. */
  readonly usedHere: boolean;
  /** Marked `@public`, `@api` or `@lintignore`: its users are outside of the tree. */
  readonly declaredPublic: boolean;
}

export interface ReexportFact {
  readonly specifier: string;
  readonly line: number;
  /** `[name here, name there]`; `*` for `export *`; `[name here, '*']` for `export * as name`. */
  readonly names: readonly (readonly [string, string])[] | '*';
  readonly typeOnly: boolean;
}

interface Declaration {
  readonly kind: ExportFact['kind'];
  readonly node: ts.Node;
  readonly name: ts.Node;
}

export function exportsOf(file: ts.SourceFile) {
  const reexports: ReexportFact[] = [];
  const exported: { name: string; declaration: Declaration }[] = [];
  const local = localDeclarations(file);
  const imported = importedNames(file);
  for (const statement of file.statements) {
    if (ts.isExportDeclaration(statement)) exportList(file, statement, local, imported, exported, reexports);
    else if (ts.isExportAssignment(statement)) {
      const isName = ts.isIdentifier(statement.expression);
      const declaration = isName ? local.get(statement.expression.getText(file)) : undefined;
      if (statement.isExportEquals) continue;
      exported.push({
        name: 'default',
        declaration: declaration ?? { kind: 'expression', node: statement, name: statement },
      });
    } else if (hasModifier(statement, ts.SyntaxKind.ExportKeyword)) {
      const isDefault = hasModifier(statement, ts.SyntaxKind.DefaultKeyword);
      for (const [name, declaration] of declarationsIn(statement))
        exported.push({ name: isDefault ? 'default' : name, declaration });
    }
  }
  const uses = countNames(file);
  const exports = new Map<string, ExportFact>();
  for (const { name, declaration } of exported) {
    const known = exports.get(name);
    const documented = isDocumented(file, declaration.node) || (known?.documented ?? false);
    const ownName = declaration.name.kind === ts.SyntaxKind.Identifier ? declaration.name.getText(file) : undefined;
    exports.set(name, {
      name,
      line: known?.line ?? lineOf(file, declaration.name.getStart(file)),
      kind: known?.kind ?? declaration.kind,
      documented,
      usedHere: ownName !== undefined && (uses.get(ownName) ?? 0) > 0,
      declaredPublic: isDeclaredPublic(declaration.node) || (known?.declaredPublic ?? false),
    });
  }
  return { exports: [...exports.values()], reexports, commonjs: isCommonjs(file) };
}

function exportList(
  file: ts.SourceFile,
  statement: ts.ExportDeclaration,
  local: ReadonlyMap<string, Declaration>,
  imported: ReadonlyMap<string, { specifier: string; name: string }>,
  exported: { name: string; declaration: Declaration }[],
  reexports: ReexportFact[],
): void {
  const line = lineOf(file, statement.getStart(file));
  const clause = statement.exportClause;
  const from = statement.moduleSpecifier;
  const specifier = from !== undefined && ts.isStringLiteral(from) ? from.text : undefined;
  const typeOnly = statement.isTypeOnly;
  if (clause === undefined) {
    if (specifier !== undefined) reexports.push({ specifier, line, names: '*', typeOnly });
    return;
  }
  if (ts.isNamespaceExport(clause)) {
    if (specifier !== undefined) reexports.push({ specifier, line, names: [[clause.name.text, '*']], typeOnly });
    return;
  }
  const passedOn: (readonly [string, string])[] = [];
  for (const element of clause.elements) {
    const name = element.name.text;
    const original = (element.propertyName ?? element.name).text;
    const binding = imported.get(original);
    if (specifier !== undefined) passedOn.push([name, original]);
    else if (binding !== undefined)
      reexports.push({ specifier: binding.specifier, line, names: [[name, binding.name]], typeOnly });
    else
      exported.push({
        name,
        declaration: local.get(original) ?? { kind: 'variable', node: element, name: element.name },
      });
  }
  if (specifier !== undefined) reexports.push({ specifier, line, names: passedOn, typeOnly });
}

function localDeclarations(file: ts.SourceFile): ReadonlyMap<string, Declaration> {
  return new Map(file.statements.flatMap((statement) => declarationsIn(statement)));
}

function declarationsIn(statement: ts.Statement): readonly (readonly [string, Declaration])[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap((declaration) =>
      bindingNames(declaration.name).map(
        (name) => [name.text, { kind: 'variable' as const, node: statement, name }] as const,
      ),
    );
  }
  const kind = kindOf(statement);
  if (kind === undefined) return [];
  const name =
    ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)
      ? statement.name
      : nameOfStatement(statement);
  return [[name?.text ?? 'default', { kind, node: statement, name: name ?? statement }]];
}

function nameOfStatement(statement: ts.Statement): ts.Identifier | undefined {
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement) || ts.isEnumDeclaration(statement))
    return statement.name;
  return ts.isModuleDeclaration(statement) && ts.isIdentifier(statement.name) ? statement.name : undefined;
}

function kindOf(statement: ts.Statement): ExportFact['kind'] | undefined {
  if (ts.isFunctionDeclaration(statement)) return 'function';
  if (ts.isClassDeclaration(statement)) return 'class';
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) return 'type';
  if (ts.isEnumDeclaration(statement)) return 'enum';
  if (ts.isModuleDeclaration(statement) && ts.isIdentifier(statement.name)) return 'namespace';
  return undefined;
}

function bindingNames(name: ts.BindingName): readonly ts.Identifier[] {
  if (ts.isIdentifier(name)) return [name];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? bindingNames(element.name) : []));
}

function importedNames(file: ts.SourceFile): ReadonlyMap<string, { specifier: string; name: string }> {
  const names = new Map<string, { specifier: string; name: string }>();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const specifier = statement.moduleSpecifier.text;
    const clause = statement.importClause;
    if (clause?.name !== undefined) names.set(clause.name.text, { specifier, name: 'default' });
    const named = clause?.namedBindings;
    if (named === undefined) continue;
    if (ts.isNamespaceImport(named)) names.set(named.name.text, { specifier, name: '*' });
    else
      for (const element of named.elements)
        names.set(element.name.text, { specifier, name: (element.propertyName ?? element.name).text });
  }
  return names;
}

/** How often each name is used, its declarations and export lists apart. */
function countNames(file: ts.SourceFile): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !isDeclaredName(node)) counts.set(node.text, (counts.get(node.text) ?? 0) + 1);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return counts;
}

function isDeclaredName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isExportSpecifier(parent) || ts.isExportAssignment(parent)) return true;
  if (ts.isShorthandPropertyAssignment(parent)) return false;
  if (ts.isPropertyAssignment(parent) || ts.isBindingElement(parent)) return parent.name === node;
  if (ts.isFunctionDeclaration(parent) || ts.isClassDeclaration(parent) || ts.isVariableDeclaration(parent))
    return parent.name === node;
  if (ts.isInterfaceDeclaration(parent) || ts.isTypeAliasDeclaration(parent) || ts.isEnumDeclaration(parent))
    return parent.name === node;
  return ts.isModuleDeclaration(parent) && parent.name === node;
}

/** A comment directly above, or, for a type, above one of its members: their names are then explained one by one. */
function isDocumented(file: ts.SourceFile, node: ts.Node): boolean {
  return hasComment(file, node) || membersOf(node).some((member) => hasComment(file, member));
}

function membersOf(node: ts.Node): readonly ts.Node[] {
  if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node) || ts.isEnumDeclaration(node)) return node.members;
  if (!ts.isTypeAliasDeclaration(node)) return [];
  if (ts.isUnionTypeNode(node.type)) return node.type.types;
  return ts.isTypeLiteralNode(node.type) ? node.type.members : [];
}

function hasComment(file: ts.SourceFile, node: ts.Node): boolean {
  const last = ts.getLeadingCommentRanges(file.text, node.getFullStart())?.at(-1);
  if (last === undefined) return false;
  return lineOf(file, last.end) >= lineOf(file, node.getStart(file)) - 1;
}

function isDeclaredPublic(node: ts.Node): boolean {
  return ts.getJSDocTags(node).some((tag) => ['public', 'api', 'lintignore'].includes(tag.tagName.text));
}

function isCommonjs(file: ts.SourceFile): boolean {
  return /(^|[^\w.])(module\.exports|exports\.\w+|exports\[)/m.test(file.text) && !ts.isExternalModule(file);
}

function hasModifier(statement: ts.Statement, kind: ts.SyntaxKind): boolean {
  return (
    ts.canHaveModifiers(statement) && (ts.getModifiers(statement)?.some((modifier) => modifier.kind === kind) ?? false)
  );
}
