/** From a path in the values of a YAML text back to where it stands in the text. Paths go through aliases. */
import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { Finding, PathSegment } from './problems.ts';
import { scalarOffsets } from './scalar-offsets.ts';

export class YamlPlaces {
  readonly #text: string;
  readonly #root: Node | null;
  readonly #lineStarts: number[] = [0];
  readonly #targets = new Map<Alias, Node>();
  readonly #keys = new WeakMap<YAMLMap, Map<string, Pair>>();
  readonly #scalars = new WeakMap<Scalar, (offset: number) => number>();

  constructor(text: string, root: Node | null) {
    this.#text = text;
    this.#root = root;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1);
  }

  setTarget(alias: Alias, target: Node): void {
    this.#targets.set(alias, target);
  }

  offsetOf(finding: Finding): number {
    if (finding.place !== undefined) return finding.place;
    let place = this.#root?.range?.[0] ?? 0;
    let node = this.#resolve(this.#root);
    for (const [index, segment] of finding.path.entries()) {
      const last = index === finding.path.length - 1;
      const step = this.#step(node, segment);
      if (step === undefined) return place;
      const keyPlace = startOf(step.key);
      const valuePlace = isEmpty(step.value) ? undefined : startOf(step.value);
      place =
        (last && finding.at === 'key' ? keyPlace : undefined) ??
        (last ? valuePlace : keyPlace) ??
        keyPlace ??
        valuePlace ??
        place;
      node = this.#resolve(step.value);
    }
    if (finding.offset === undefined || !isScalar(node)) return place;
    return this.#scalarOffset(node, finding.offset);
  }

  /** Line and column from 1. */
  lineOf(offset: number): { readonly line: number; readonly column: number; readonly sourceLine: string } {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    const start = this.#lineStarts[low] ?? 0;
    const end = this.#lineStarts[low + 1] ?? this.#text.length + 1;
    const sourceLine = this.#text.slice(start, end - 1).replace(/\r$/, '');
    return { line: low + 1, column: offset - start + 1, sourceLine };
  }

  #step(node: Node | null, segment: PathSegment): { key: Node | null; value: Node | null } | undefined {
    if (isMap(node)) {
      const pair = this.#pairOf(node, String(segment));
      return pair && { key: asNode(pair.key), value: asNode(pair.value) };
    }
    if (!isSeq(node)) return undefined;
    const item = node.items[Number(segment)];
    return item === undefined ? undefined : { key: null, value: asNode(item) };
  }

  #pairOf(map: YAMLMap, name: string): Pair | undefined {
    let pairs = this.#keys.get(map);
    if (pairs === undefined) {
      pairs = new Map();
      for (const pair of map.items) {
        const key = keyText(pair);
        if (key !== undefined && !pairs.has(key)) pairs.set(key, pair);
      }
      this.#keys.set(map, pairs);
    }
    return pairs.get(name);
  }

  #resolve(node: Node | null): Node | null {
    return isAlias(node) ? (this.#targets.get(node) ?? null) : node;
  }

  #scalarOffset(scalar: Scalar, offset: number): number {
    let offsets = this.#scalars.get(scalar);
    if (offsets === undefined) {
      offsets = scalarOffsets(this.#text, scalar);
      this.#scalars.set(scalar, offsets);
    }
    return offsets(offset);
  }
}

/** The key of a pair as text; undefined when it is no scalar. */
export function keyText(pair: Pair): string | undefined {
  if (!isScalar(pair.key)) return undefined;
  const { value, source } = pair.key;
  return typeof value === 'string' ? value : (source ?? String(value));
}

export function asNode(value: unknown): Node | null {
  return isNode(value) ? value : null;
}

function startOf(node: Node | null): number | undefined {
  return node?.range?.[0];
}

function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1]);
}
