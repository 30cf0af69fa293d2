/**
 * YAML 1.2 (core schema). Aliases are followed up to a small bound, so that a file of a few hundred bytes can't
 * become gigabytes; merge keys (`<<`) and unknown tags are refused, since they mean different things to different readers.
 */
import type { Node, Pair } from 'yaml';
import { isStackOverflow, type Located, located, type ParsedText, rawObject, type TextLimits } from './parsed-text.ts';
import { parseSimpleYaml } from './simple-yaml.ts';

const maxAliases = 100;
const maxNodesThroughAliases = 10_000;

export async function parseYaml(text: string, limits: TextLimits): Promise<ParsedText> {
  const simple = parseSimpleYaml(text, limits);
  return simple === undefined ? parseAnyYaml(text, limits) : { ...simple, problems: [] };
}

/** By the complete parser. */
export async function parseAnyYaml(text: string, limits: TextLimits): Promise<ParsedText> {
  const yaml = await import('yaml');
  const root = located(0);
  let document: ReturnType<typeof yaml.parseDocument>;
  try {
    document = yaml.parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    if (!isStackOverflow(error)) throw error;
    const message = `is nested deeper than maxDepth (${limits.maxDepth})`;
    return { value: undefined, root, problems: [{ offset: 0, message }] };
  }
  const problems = [...document.errors, ...document.warnings].map(({ pos, message }) => ({ offset: pos[0], message }));
  if (problems.length > 0) return { value: undefined, root, problems };

  const anchors = new Map<string, Node>();
  let aliases = 0;
  let nodesThroughAliases = 0;
  try {
    return { value: toValue(document.contents, root, limits.maxDepth, false), root, problems };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { value: undefined, root, problems: [...problems, { offset: error.offset, message: error.message }] };
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
    if (Object.hasOwn(members, name)) throw new Refused(keyOffset, `the key "${name}" is given twice`);
    const child = located(keyOffset, offsetOf(value, keyOffset));
    place.children.set(name, child);
    members[name] = toValue(value, child, depthLeft - 1, inAlias);
  }

  function offsetOf(node: unknown, fallback: number): number {
    return yaml.isNode(node) ? (node.range?.[0] ?? fallback) : fallback;
  }
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
