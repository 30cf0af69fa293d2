/** The nodes of a YAML text as JSON values, refusing what JSON can't say and what only serves to surprise. */
import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Finding, Findings, PathSegment } from './problems.ts';
import type { JsonValue } from './workflow.ts';
import { asNode, keyText, type YamlPlaces } from './yaml-places.ts';

/** Levels of maps and lists inside each other, aliases followed. */
export const maxDepth = 100;
/** Values that all aliases of a file together may stand for. */
const maxAliasedValues = 100_000;

interface Converted {
  readonly value: JsonValue;
  /** Values in it, itself included, aliases followed. */
  readonly size: number;
  /** Levels below it, aliases followed. */
  readonly height: number;
}

/** The value of a document; undefined when its aliases stand for more than anyone could want. */
export function yamlValues(root: Node, places: YamlPlaces, findings: Findings): JsonValue | undefined {
  const conversion = new Conversion(places, findings);
  const { value } = conversion.convert(root);
  return conversion.overflowing ? undefined : value;
}

const nothing: Converted = { value: null, size: 1, height: 0 };

class Conversion {
  readonly #places: YamlPlaces;
  readonly #findings: Findings;
  readonly #path: PathSegment[] = [];
  readonly #anchors = new Map<string, { readonly node: Node; converted: Converted | undefined }>();
  #aliased = 0;

  constructor(places: YamlPlaces, findings: Findings) {
    this.#places = places;
    this.#findings = findings;
  }

  get overflowing(): boolean {
    return this.#aliased > maxAliasedValues;
  }

  convert(node: Node | null): Converted {
    if (node === null || this.overflowing) return nothing;
    if (isAlias(node)) return this.#alias(node);
    const anchored = { node, converted: undefined as Converted | undefined };
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, anchored);
    anchored.converted = isMap(node) ? this.#map(node) : isSeq(node) ? this.#list(node) : this.#scalar(node);
    return anchored.converted;
  }

  #alias(alias: Alias): Converted {
    const anchored = this.#anchors.get(alias.source);
    const name = `*${alias.source}`;
    if (anchored === undefined)
      return this.#refuse(alias, `the alias ${name} has no anchor &${alias.source} before it`);
    const { converted, node } = anchored;
    if (converted === undefined) return this.#refuse(alias, `the alias ${name} stands inside what it refers to`);
    if (this.#path.length + converted.height > maxDepth) {
      return this.#refuse(alias, `the alias ${name} nests the file more than ${maxDepth} levels deep`);
    }
    this.#aliased += converted.size;
    if (this.overflowing) {
      return this.#refuse(alias, `the aliases up to ${name} stand for more than ${maxAliasedValues} values`);
    }
    this.#places.setTarget(alias, node);
    return converted;
  }

  #map(map: YAMLMap): Converted {
    const value: Record<string, JsonValue> = {};
    const firstPlaces = new Map<string, number>();
    let size = 1;
    let height = 0;
    for (const pair of map.items) {
      const key = keyText(pair);
      const keyNode = asNode(pair.key);
      if (key === undefined) {
        this.#refuse(keyNode ?? map, 'a key must be plain text');
        continue;
      }
      const first = firstPlaces.get(key);
      const objection = refusedKey(key) ?? (first === undefined ? undefined : this.#duplicate(key, first));
      if (objection !== undefined) {
        this.#refuse(keyNode ?? map, objection, key);
        continue;
      }
      firstPlaces.set(key, keyNode?.range?.[0] ?? 0);
      this.#path.push(key);
      const converted = this.convert(asNode(pair.value));
      this.#path.pop();
      value[key] = converted.value;
      size += converted.size;
      height = Math.max(height, converted.height + 1);
    }
    return { value, size, height };
  }

  #list(list: YAMLSeq): Converted {
    const value: JsonValue[] = [];
    let size = 1;
    let height = 0;
    for (const [index, item] of list.items.entries()) {
      this.#path.push(index);
      const converted = this.convert(asNode(item));
      this.#path.pop();
      value.push(converted.value);
      size += converted.size;
      height = Math.max(height, converted.height + 1);
    }
    return { value, size, height };
  }

  #scalar(node: Node): Converted {
    const value: unknown = isScalar(node) ? node.value : null;
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return { ...nothing, value };
    if (typeof value === 'number' && Number.isFinite(value)) return { ...nothing, value };
    return this.#refuse(
      node,
      `${isScalar(node) ? (node.source ?? String(value)) : 'this'} is no number that JSON can say`,
    );
  }

  #duplicate(key: string, first: number): string {
    return `duplicate key "${key}": it stands on line ${this.#places.lineOf(first).line} already; remove one of them`;
  }

  #refuse(node: Node, message: string, key?: string): Converted {
    const path = key === undefined ? [...this.#path] : [...this.#path, key];
    const finding: Finding = { path, place: node.range?.[0] ?? 0, message };
    this.#findings.add(finding);
    return nothing;
  }
}

function refusedKey(key: string): string | undefined {
  if (key === '<<') return 'the merge key "<<" is not supported; write the keys out, or use an alias as a whole value';
  if (key === '__proto__') return 'the key "__proto__" is refused; use another name';
  return undefined;
}
