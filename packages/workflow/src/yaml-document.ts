/**
 * A YAML text as plain JSON values, and the way back from a path in them to a line and column.
 *
 * The text is a stranger's until it has been read: nesting is bounded while lexing (the composer recurses, and V8 can
 * abort the process when a regular expression is compiled near the end of the stack), aliases share the value of their
 * anchor instead of copying it and what they stand for is counted, and duplicate keys are found in `yaml-values.ts`
 * because the library's own check compares each key with every other.
 */
import { Composer, type Document, Lexer, Parser, type YAMLError } from 'yaml';
import { type Finding, Findings, formatPath, type Problem } from './problems.ts';
import type { JsonValue } from './workflow.ts';
import { YamlPlaces } from './yaml-places.ts';
import { maxDepth, yamlValues } from './yaml-values.ts';

export interface YamlDocument {
  /** Undefined when the text holds nothing that could be read. */
  readonly value: JsonValue | undefined;
  /** Where the parser first lost its way: what stands behind it can't be relied on. */
  readonly brokenAt: number | undefined;
  /** What is wrong with the text itself. */
  readonly findings: Findings;
  /** Where in the text a finding is. */
  offsetOf(finding: Finding): number;
  toProblem(finding: Finding, file: string | undefined): Problem;
}

export function readYaml(text: string): YamlDocument {
  const findings = new Findings();
  const { document, brokenAt } = compose(text, findings);
  const places = new YamlPlaces(text, document?.contents ?? null);
  const value = document?.contents ? yamlValues(document.contents, places, findings) : undefined;
  return {
    value,
    brokenAt,
    findings,
    offsetOf: (finding) => places.offsetOf(finding),
    toProblem(finding, file) {
      const { line, column, sourceLine } = places.lineOf(places.offsetOf(finding));
      const { message, suggestion, path } = finding;
      const problem = { message, file, line, column, path: formatPath(path), sourceLine };
      return suggestion === undefined ? problem : { ...problem, suggestion };
    },
  };
}

interface Composed {
  readonly document: Document.Parsed | undefined;
  readonly brokenAt: number | undefined;
}

function compose(text: string, findings: Findings): Composed {
  const parser = new Parser();
  const composer = new Composer({
    // What a `%YAML` line in the file says must not change how it is read.
    schema: 'core',
    version: '1.2',
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
  });
  const documents: Document.Parsed[] = [];
  let strayTokens = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') strayTokens += 1;
      documents.push(...composer.next(token));
    }
    if (strayTokens > 100) {
      findings.add({ path: [], place: 0, message: 'the file is no YAML: more than 100 tokens stand where none may' });
      return { document: undefined, brokenAt: 0 };
    }
    if (parser.stack.length > maxDepth + 2) {
      const message = `the file is nested more than ${maxDepth} levels deep; bring it into a flatter shape`;
      findings.add({ path: [], place: parser.offset, message });
      return { document: undefined, brokenAt: parser.offset };
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(true, text.length));

  const [document, second] = documents;
  if (second !== undefined) {
    const message = 'the file holds a second document (after "---"); a workflow is one document, remove the other';
    findings.add({ path: [], place: second.range[0], message });
  }
  const errors = document?.errors ?? [];
  for (const error of errors) findings.add({ path: [], place: placeOf(error), message: syntaxMessage(error) });
  for (const warning of document?.warnings ?? []) {
    findings.add({ path: [], place: placeOf(warning), message: syntaxMessage(warning) });
  }
  const brokenAt = errors.reduce((first, error) => Math.min(first, placeOf(error)), Infinity);
  return { document, brokenAt: errors.length === 0 ? undefined : brokenAt };
}

function placeOf(error: YAMLError): number {
  return Math.max(error.pos[0], 0);
}

function syntaxMessage(error: YAMLError): string {
  const [first = ''] = error.message.split('\n');
  const text = first.replace(/[:.]$/, '');
  return error.code === 'TAG_RESOLVE_FAILED' ? `${text}; tags have no meaning in a workflow` : `YAML: ${text}`;
}
