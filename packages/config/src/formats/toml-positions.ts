/**
 * Finds where each key and value of a TOML text stands. It is a scanner, not a parser: the text has already been
 * accepted by one, so only what tells keys, strings, brackets and comments apart is looked at.
 */
import { type Located, located } from './parsed-text.ts';

type ParseToml = (text: string) => Record<string, unknown>;

export function locateToml(text: string, parse: ParseToml): Located {
  const root = located(0);
  let table = root;
  let at = 0;
  for (skipBlank(); at < text.length; skipBlank()) {
    if (text[at] === '[') {
      const isArray = text[at + 1] === '[';
      const start = at;
      at += isArray ? 2 : 1;
      table = enterTable(readKey(), isArray, start);
      at += isArray ? 2 : 1;
    } else {
      readMember(table);
    }
  }
  return root;

  function enterTable(key: readonly string[], isArray: boolean, offset: number): Located {
    const parent = descend(root, key.slice(0, -1), offset);
    const own = child(parent, key.at(-1) ?? '', offset);
    if (!isArray) return own;
    const element = located(offset);
    own.children.set(String(own.children.size), element);
    arraysOfTables.add(own);
    return element;
  }

  function readMember(parent: Located): void {
    const keyOffset = at;
    const key = readKey();
    at++; // the equals sign
    skipSpaces();
    const place = located(keyOffset, at);
    descend(parent, key.slice(0, -1), keyOffset).children.set(key.at(-1) ?? '', place);
    skipValue(place);
  }

  /** A dotted key; stops at what follows it: `=` or `]`. */
  function readKey(): string[] {
    const key: string[] = [];
    for (;;) {
      skipSpaces();
      const start = at;
      if (text[at] === '"' || text[at] === "'") skipString();
      else skip(bareKey);
      // Deeper than any setting may be, places are of no use.
      if (key.length < 1_000) key.push(decodeKey(text.slice(start, at)));
      skipSpaces();
      if (text[at] !== '.') return key;
      at++;
    }
  }

  function decodeKey(written: string): string {
    if (written[0] !== '"' || !written.includes('\\')) return written.replace(/^(["'])(.*)\1$/s, '$2');
    return String(parse(`key = ${written}`).key);
  }

  function skipValue(place: Located): void {
    const first = text[at];
    if (first === '"' || first === "'") skipString();
    else if (first === '[') skipArray(place);
    else if (first === '{') skipInlineTable(place);
    else skip(otherValue);
  }

  function skipArray(place: Located): void {
    at++;
    for (skipBlank(); text[at] !== ']' && at < text.length; skipBlank()) {
      if (text[at] === ',') {
        at++;
        continue;
      }
      const element = located(at);
      place.children.set(String(place.children.size), element);
      skipValue(element);
    }
    at++;
  }

  function skipInlineTable(place: Located): void {
    at++;
    for (skipBlank(); text[at] !== '}' && at < text.length; skipBlank()) {
      if (text[at] === ',') at++;
      else readMember(place);
    }
    at++;
  }

  function skipString(): void {
    const quote = text[at] ?? '';
    const triple = quote.repeat(3);
    if (text.startsWith(triple, at)) {
      at += 3;
      while (at < text.length && !text.startsWith(triple, at)) at += text[at] === '\\' && quote === '"' ? 2 : 1;
      at += 3;
      // Up to two quotes may stand directly before the closing three.
      while (text[at] === quote) at++;
      return;
    }
    at++;
    while (at < text.length && text[at] !== quote) at += text[at] === '\\' && quote === '"' ? 2 : 1;
    at++;
  }

  function skip(pattern: RegExp): void {
    pattern.lastIndex = at;
    pattern.test(text);
    at = pattern.lastIndex;
  }

  function skipSpaces(): void {
    while (text[at] === ' ' || text[at] === '\t') at++;
  }

  function skipBlank(): void {
    for (;;) {
      skip(blank);
      if (text[at] !== '#') return;
      const newline = text.indexOf('\n', at);
      at = newline === -1 ? text.length : newline;
    }
  }
}

const bareKey = /[\w-]*/y;
const otherValue = /[^,\]}#\n]*/y;
const blank = /[\s\uFEFF]*/y;

/** Naming an array of tables inside a longer key means its last element. */
const arraysOfTables = new WeakSet<Located>();

function descend(from: Located, key: readonly string[], offset: number): Located {
  let place = from;
  for (const name of key) {
    place = child(place, name, offset);
    if (arraysOfTables.has(place)) place = place.children.get(String(place.children.size - 1)) ?? place;
  }
  return place;
}

function child(parent: Located, name: string, offset: number): Located {
  const known = parent.children.get(name);
  if (known !== undefined) return known;
  const fresh = located(offset);
  parent.children.set(name, fresh);
  return fresh;
}
