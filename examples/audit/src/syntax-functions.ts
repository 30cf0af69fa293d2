/**
 * How hard the functions of a file are to follow. Two measures: the number of paths (cyclomatic, McCabe 1976: one plus
 * each branch) and cognitive complexity (G. Ann Campbell, SonarSource 2017: what breaks the reader's flow, more the deeper
 * it is nested; a `switch` counts once however many cases it has). A callback written in place is part of the function
 * around it, since that is how it is read; a function with a name of its own is measured alone.
 */
import ts from 'typescript';
import { lineOf } from './script-position.ts';

export interface FunctionFact {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  readonly parameters: number;
  readonly cyclomatic: number;
  readonly cognitive: number;
  readonly depth: number;
}

export function functionsOf(file: ts.SourceFile) {
  const notable: FunctionFact[] = [];
  let count = 0;
  let branches = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && bodyOf(node) !== undefined) {
      count += 1;
      if (!isCallback(node) || !isInFunction(node)) {
        const fact = measure(file, node);
        branches += fact.cyclomatic;
        if (isNotable(fact)) notable.push(fact);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { count, branches, notable };
}

function isNotable(fact: FunctionFact): boolean {
  return fact.cognitive >= 10 || fact.cyclomatic >= 12 || fact.lines >= 60 || fact.parameters >= 6;
}

function measure(file: ts.SourceFile, node: ts.SignatureDeclaration): FunctionFact {
  const body = bodyOf(node) ?? node;
  const cognitive = cognitiveComplexity(body, ownName(node));
  const start = node.getStart(file);
  return {
    name: displayName(file, node),
    line: lineOf(file, start),
    lines: lineOf(file, node.end) - lineOf(file, start) + 1,
    parameters: node.parameters.length,
    cyclomatic: 1 + countBranches(body),
    cognitive: cognitive.score,
    depth: cognitive.depth,
  };
}

function countBranches(node: ts.Node): number {
  if (ts.isFunctionLike(node) && !isCallback(node)) return 0;
  let own = 0;
  switch (node.kind) {
    case ts.SyntaxKind.IfStatement:
    case ts.SyntaxKind.ConditionalExpression:
    case ts.SyntaxKind.CaseClause:
    case ts.SyntaxKind.CatchClause:
      own = 1;
      break;
    default:
      if (ts.isIterationStatement(node, false) || logicalOperator(node) !== undefined) own = 1;
  }
  let inside = 0;
  ts.forEachChild(node, (child) => {
    inside += countBranches(child);
  });
  return own + inside;
}

function cognitiveComplexity(body: ts.Node, name: string | undefined) {
  let score = 0;
  let depth = 0;
  const nest = (nesting: number, ...nodes: readonly (ts.Node | undefined)[]) => {
    for (const node of nodes) if (node !== undefined) visit(node, nesting);
  };
  const branch = (nesting: number) => {
    score += 1 + nesting;
    depth = Math.max(depth, nesting + 1);
  };
  const visitIf = (node: ts.IfStatement, nesting: number, chained: boolean): void => {
    if (chained) score += 1;
    else branch(nesting);
    nest(nesting, node.expression);
    nest(nesting + 1, node.thenStatement);
    if (node.elseStatement === undefined) return;
    if (ts.isIfStatement(node.elseStatement)) visitIf(node.elseStatement, nesting, true);
    else {
      score += 1;
      nest(nesting + 1, node.elseStatement);
    }
  };
  const visit = (node: ts.Node, nesting: number): void => {
    if (ts.isIfStatement(node)) visitIf(node, nesting, false);
    else if (ts.isIterationStatement(node, false) || ts.isSwitchStatement(node) || ts.isCatchClause(node)) {
      branch(nesting);
      ts.forEachChild(node, (child) => visit(child, nesting + 1));
    } else if (ts.isConditionalExpression(node)) {
      branch(nesting);
      nest(nesting, node.condition);
      nest(nesting + 1, node.whenTrue, node.whenFalse);
    } else if (ts.isFunctionLike(node)) {
      if (isCallback(node)) ts.forEachChild(node, (child) => visit(child, nesting + 1));
    } else {
      const operator = logicalOperator(node);
      if (operator !== undefined && logicalOperator(operand(node.parent)) !== operator) score += 1;
      if ((ts.isBreakStatement(node) || ts.isContinueStatement(node)) && node.label !== undefined) score += 1;
      if (
        name !== undefined &&
        ts.isCallExpression(node) &&
        ts.isIdentifier(node.expression) &&
        node.expression.text === name
      )
        score += 1;
      ts.forEachChild(node, (child) => visit(child, nesting));
    }
  };
  visit(body, 0);
  return { score, depth };
}

/** Written where it is passed: an argument of a call. */
function isCallback(node: ts.Node): boolean {
  const { parent } = node;
  return (ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression !== node;
}

function isInFunction(node: ts.Node): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) if (ts.isFunctionLike(at)) return true;
  return false;
}

function operand(node: ts.Node): ts.Node {
  return ts.isParenthesizedExpression(node) ? operand(node.parent) : node;
}

function logicalOperator(node: ts.Node): ts.SyntaxKind | undefined {
  if (!ts.isBinaryExpression(node)) return undefined;
  const { kind } = node.operatorToken;
  const isLogical =
    kind === ts.SyntaxKind.AmpersandAmpersandToken ||
    kind === ts.SyntaxKind.BarBarToken ||
    kind === ts.SyntaxKind.QuestionQuestionToken;
  return isLogical ? kind : undefined;
}

function bodyOf(node: ts.SignatureDeclaration): ts.Node | undefined {
  return 'body' in node ? node.body : undefined;
}

function ownName(node: ts.SignatureDeclaration): string | undefined {
  if (ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node)) return node.name?.text;
  return ts.isVariableDeclaration(node.parent) && ts.isIdentifier(node.parent.name) ? node.parent.name.text : undefined;
}

function displayName(file: ts.SourceFile, node: ts.SignatureDeclaration): string {
  if (ts.isConstructorDeclaration(node)) return `${ownerName(node)}.constructor`;
  if (node.name !== undefined) {
    const name = short(node.name.getText(file));
    return ts.isClassLike(node.parent) ? `${ownerName(node)}.${name}` : name;
  }
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)) {
    const name = short(parent.name.getText(file));
    return ts.isPropertyDeclaration(parent) ? `${ownerName(parent)}.${name}` : name;
  }
  if (ts.isCallExpression(parent)) return `a callback of ${short(parent.expression.getText(file))}`;
  if (ts.isBinaryExpression(parent)) return short(parent.left.getText(file));
  if (ts.isReturnStatement(parent) || ts.isArrowFunction(parent))
    return `a function returned by ${enclosingName(file, node)}`;
  return 'an unnamed function';
}

function enclosingName(file: ts.SourceFile, node: ts.Node): string {
  for (let at = node.parent; at !== undefined; at = at.parent) if (ts.isFunctionLike(at)) return displayName(file, at);
  return 'its file';
}

function ownerName(node: ts.Node): string {
  return ts.isClassLike(node.parent) ? (node.parent.name?.text ?? 'a class') : 'an object';
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
}
