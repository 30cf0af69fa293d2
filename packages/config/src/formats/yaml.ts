/**
 * YAML 1.2 (core schema). Aliases are followed up to a small bound, so that a file of a few hundred bytes can't
 * become gigabytes; merge keys (`<<`) and unknown tags are refused, since they mean different things to different readers.
 */
import type { Document, Node, Pair } from 'yaml';
import { type Located, located, type ParsedText, rawObject, type TextLimits, type TextProblem } from './parsed-text.ts';
import { parseSimpleYaml } from './simple-yaml.ts';

const maxAliases = 100;
const maxNodesThroughAliases = 10_000;
const maxStrayTokens = 100;

export async function parseYaml(text: string, limits: TextLimits): Promise<ParsedText> {
  const simple = parseSimpleYaml(text, limits);
  if (simple === undefined) return parseAnyYaml(text, limits);
  return { value: simple.value, root: () => simple.root, problems: simple.problems };
}

/** By the complete parser. */
export async function parseAnyYaml(text: string, limits: TextLimits): Promise<ParsedText> {
  const yaml = await import('yaml');
  const place = located(0);
  const root = () => place;
  const { document, problems } = compose(yaml, text, limits);
  if (document === undefined || problems.length > 0) return { value: undefined, root, problems };

  const found: TextProblem[] = [];
  const anchors = new Map<string, Node>();
  let aliases = 0;
  let nodesThroughAliases = 0;
  try {
    return { value: toValue(document.contents, place, limits.maxDepth, false), root, problems: found };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { value: undefined, root, problems: [...found, { offset: error.offset, message: error.message }] };
  }

  function toValue(node: unknown, place: Located, depthLeft: number, inAlias: boolean): unknown {
    if (inAlias && ++nodesThroughAliases > maxNodesThroughAliases) {
      throw new Refused(place.valueOffset, `aliases repeat more than ${maxNodesThroughAliases} values`);
    }
    if (yaml.isAlias(node)) {
      if (++aliases > maxAliases) throw new Refused(place.valueOffset, `more than ${maxAliases} aliases are followed`);
      return toValue(anchors.get(node.source), place, depthLeft, true);
    }
    if (yaml.isNode(node) && !inAlias && 'anchor' in node && node.anchor !== undefined) anchors.set(node.anchor, node);
    if (yaml.isScalar(node)) return node.value;
    if (!yaml.isCollection(node)) return null;
    if (depthLeft === 0) {
      throw new Refused(place.valueOffset, `is nested deeper than maxDepth (${limits.maxDepth})`);
    }
    if (yaml.isSeq(node)) return node.items.map((item, index) => toElement(item, index, place, depthLeft, inAlias));
    const members = rawObject();
    for (const pair of node.items) {
      if (yaml.isPair(pair)) addMember(members, pair, place, depthLeft, inAlias);
    }
    return members;
  }

  function toElement(item: unknown, index: number, place: Located, depthLeft: number, inAlias: boolean): unknown {
    const child = located(offsetOf(item, place.valueOffset));
    place.children.set(String(index), child);
    return toValue(item, child, depthLeft - 1, inAlias);
  }

  function addMember(
    members: Record<string, unknown>,
    { key, value }: Pair,
    place: Located,
    depthLeft: number,
    inAlias: boolean,
  ): void {
    const keyOffset = offsetOf(key, place.valueOffset);
    if (!yaml.isScalar(key)) throw new Refused(keyOffset, 'a key must be plain text');
    if (!inAlias && key.anchor !== undefined) anchors.set(key.anchor, key);
    const name = String(key.value);
    if (name === '<<') throw new Refused(keyOffset, 'merge keys (`<<`) are not supported; write the values out');
    if (Object.hasOwn(members, name)) found.push({ offset: keyOffset, message: `the key "${name}" is given twice` });
    const child = located(keyOffset, offsetOf(value, keyOffset));
    place.children.set(name, child);
    members[name] = toValue(value, child, depthLeft - 1, inAlias);
  }

  function offsetOf(node: unknown, fallback: number): number {
    return yaml.isNode(node) ? (node.range?.[0] ?? fallback) : fallback;
  }
}

interface Composed {
  readonly document: Document.Parsed | undefined;
  readonly problems: readonly TextProblem[];
}

/**
 * The one document in the text. Nesting is bounded before the composer sees it, since that recurses, and keys given twice are left
 * to the walk over the values, since the composer compares each key with every other.
 */
function compose(yaml: typeof import('yaml'), text: string, { maxDepth }: TextLimits): Composed {
  const parser = new yaml.Parser();
  // What a `%YAML` line says must not change how the file is read.
  const reading = { schema: 'core', version: '1.2', merge: false, resolveKnownTags: false } as const;
  const composer = new yaml.Composer({ ...reading, uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  const documents: Document.Parsed[] = [];
  let stray = 0;
  let aliases = 0;
  for (const lexeme of new yaml.Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') stray++;
      documents.push(...composer.next(token));
    }
    const offset = Math.min(parser.offset, text.length);
    // Only an alias begins with the mark; in a text it would be quoted.
    if (lexeme.startsWith('*') && ++aliases > maxAliases) {
      return { document: undefined, problems: [{ offset, message: `more than ${maxAliases} aliases are followed` }] };
    }
    if (parser.stack.length > maxDepth + 3) {
      return { document: undefined, problems: [{ offset, message: `is nested deeper than maxDepth (${maxDepth})` }] };
    }
    if (stray > maxStrayTokens) {
      const message = `is no YAML: more than ${maxStrayTokens} tokens stand where none may`;
      return { document: undefined, problems: [{ offset, message }] };
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(true, text.length));
  const [document, second] = documents;
  const found = [...(document?.errors ?? []), ...(document?.warnings ?? [])];
  const problems = found.map(({ pos, message }) => ({ offset: Math.min(Math.max(pos[0], 0), text.length), message }));
  if (second !== undefined) {
    const message = 'a second document (after `---`) begins here, and settings are one document';
    problems.push({ offset: second.range[0], message });
  }
  return { document, problems };
}

/** Ends the walk; never leaves this file. */
class Refused extends Error {
  readonly code = 'REFUSED';
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.name = 'Refused';
    this.offset = offset;
  }
}
