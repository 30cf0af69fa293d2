/**
 * Who matches a subject: a tree of pattern tokens, and in front of it a memory of what recent subjects matched, since
 * a program publishes to the same subjects over and over. What is remembered is compiled from the matching entries once.
 */
import { inboxPrefix, isWildcard, parsePattern, parseSubject } from './subject.ts';

/** Each part is made when it is needed: most nodes need one of them, and an empty set costs 200 bytes. */
interface TreeNode<Entry> {
  children: Map<string, TreeNode<Entry>> | undefined;
  /** Of patterns that end here. */
  entries: Set<Entry> | undefined;
  /** Of patterns that end here with `>`. */
  openEntries: Set<Entry> | undefined;
}

export interface SubjectTreeOptions<Entry, Compiled> {
  /** Called once per remembered subject, with the entries in the order in which they were added. */
  readonly compile: (entries: readonly Entry[]) => Compiled;
  /** Subjects remembered. @default 8192 */
  readonly maxRemembered?: number;
}

export class SubjectTree<Entry, Compiled> {
  readonly #root: TreeNode<Entry> = newNode();
  readonly #order = new Map<Entry, number>();
  readonly #compile: (entries: readonly Entry[]) => Compiled;
  readonly #maxRecent: number;
  // Two generations: a lookup is one probe, and dropping the elder one keeps what is in use at no cost per lookup.
  #recent = new Map<string, Compiled>();
  #elder = new Map<string, Compiled>();
  // Subjects come in bursts, and comparing a string with itself is cheaper than hashing it.
  #lastSubject: string | undefined;
  #last: Compiled | undefined;
  #added = 0;

  constructor(options: SubjectTreeOptions<Entry, Compiled>) {
    this.#compile = options.compile;
    this.#maxRecent = Math.max(1, Math.floor((options.maxRemembered ?? 8_192) / 2));
  }

  get remembered(): number {
    return this.#recent.size + this.#elder.size;
  }

  /** An entry may stand under one pattern only. @throws {BusError} BUS_INVALID_SUBJECT */
  add(pattern: string, entry: Entry): void {
    const [node, isOpen] = this.#nodeOf(parsePattern(pattern));
    if (isOpen) {
      node.openEntries ??= new Set();
      node.openEntries.add(entry);
    } else {
      node.entries ??= new Set();
      node.entries.add(entry);
    }
    this.#order.set(entry, this.#added++);
    this.#forget(pattern);
  }

  remove(pattern: string, entry: Entry): void {
    this.#order.delete(entry);
    removeFrom(this.#root, parsePattern(pattern), 0, entry);
    this.#forget(pattern);
  }

  /**
   * What was compiled from the entries whose patterns match. @throws {BusError} BUS_INVALID_SUBJECT
   * Cost: one map lookup for a remembered subject; else a walk over the matching part of the tree.
   */
  match(subject: string): Compiled {
    if (subject === this.#lastSubject && this.#last !== undefined) return this.#last;
    const compiled = this.#recent.get(subject) ?? this.#matchElsewhere(subject);
    this.#lastSubject = subject;
    this.#last = compiled;
    return compiled;
  }

  #matchElsewhere(subject: string): Compiled {
    let compiled = this.#elder.get(subject);
    if (compiled === undefined) {
      const found: Entry[] = [];
      collect(this.#root, parseSubject(subject), 0, found);
      const order = (entry: Entry) => this.#order.get(entry) ?? 0;
      compiled = this.#compile(found.sort((a, b) => order(a) - order(b)));
    }
    if (subject.startsWith(inboxPrefix)) return compiled;
    if (this.#recent.size >= this.#maxRecent) {
      this.#elder = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(subject, compiled);
    return compiled;
  }

  #forget(pattern: string): void {
    this.#lastSubject = undefined;
    this.#last = undefined;
    if (isWildcard(pattern)) {
      this.#recent.clear();
      this.#elder.clear();
    } else {
      this.#recent.delete(pattern);
      this.#elder.delete(pattern);
    }
  }

  #nodeOf(tokens: readonly string[]): [TreeNode<Entry>, boolean] {
    let node = this.#root;
    for (const token of tokens) {
      if (token === '>') return [node, true];
      node.children ??= new Map();
      let child = node.children.get(token);
      if (child === undefined) {
        child = newNode();
        node.children.set(token, child);
      }
      node = child;
    }
    return [node, false];
  }
}

function newNode<Entry>(): TreeNode<Entry> {
  return { children: undefined, entries: undefined, openEntries: undefined };
}

/** A pattern has one place in the tree, so no node is visited twice. */
function collect<Entry>(node: TreeNode<Entry>, tokens: readonly string[], index: number, into: Entry[]): void {
  const token = tokens[index];
  if (token === undefined) {
    if (node.entries !== undefined) for (const entry of node.entries) into.push(entry);
    return;
  }
  if (node.openEntries !== undefined) for (const entry of node.openEntries) into.push(entry);
  const exact = node.children?.get(token);
  if (exact !== undefined) collect(exact, tokens, index + 1, into);
  const any = node.children?.get('*');
  if (any !== undefined) collect(any, tokens, index + 1, into);
}

/** Returns whether the node is empty now, so that its parent can let go of it. */
function removeFrom<Entry>(node: TreeNode<Entry>, tokens: readonly string[], index: number, entry: Entry): boolean {
  const token = tokens[index];
  if (token === undefined) {
    node.entries?.delete(entry);
    if (node.entries?.size === 0) node.entries = undefined;
  } else if (token === '>') {
    node.openEntries?.delete(entry);
    if (node.openEntries?.size === 0) node.openEntries = undefined;
  } else {
    const child = node.children?.get(token);
    if (child !== undefined && removeFrom(child, tokens, index + 1, entry)) node.children?.delete(token);
    if (node.children?.size === 0) node.children = undefined;
  }
  return node.children === undefined && node.entries === undefined && node.openEntries === undefined;
}
