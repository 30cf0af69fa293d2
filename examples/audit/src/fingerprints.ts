/**
 * Fingerprints of code for finding copies: each run of `RUN` tokens is hashed, and of each window of `WINDOW` hashes the
 * smallest is kept, so any copy of at least `RUN + WINDOW - 1` tokens shares a fingerprint. Source: Schleimer, Wilkerson,
 * Aiken, "Winnowing: Local Algorithms for Document Fingerprinting" (2003).
 *
 * Names and literals stay as they are: what is reported as a copy is one, word for word, layout and comments apart.
 */
import { type CodeToken, splitComments } from './comments.ts';
import { languageOf } from './language.ts';

export const RUN = 40;
export const WINDOW = 40;

/** A list and no object, since a large tree holds a hundred thousand of them; `token` is the index of the run's first. */
type Fingerprint = readonly [hash: string, token: number, startLine: number, endLine: number];

export interface FileFingerprints {
  readonly path: string;
  readonly tokens: number;
  readonly prints: readonly Fingerprint[];
}

/** Fingerprints of one file; import and export-from statements of scripts are left out, since they repeat by nature. */
export function fingerprintsOf(path: string, text: string): FileFingerprints {
  const language = languageOf(path);
  const isScript = language.kind === 'script';
  const { tokens: all } = splitComments(text, language.comments, isScript);
  const tokens = isScript ? withoutImports(all) : all;
  const hashes = runHashes(tokens);
  const prints = winnow(hashes).map((at): Fingerprint => {
    const hash = (hashes[at] ?? 0).toString(36);
    return [hash, at, tokens[at]?.line ?? 1, tokens[at + RUN - 1]?.line ?? 1];
  });
  return { path, tokens: tokens.length, prints };
}

/** Keeps only what two places share: everything else answers no later question. */
export function sharedOnly(files: readonly FileFingerprints[]): readonly FileFingerprints[] {
  const counts = new Map<string, number>();
  for (const file of files) for (const [hash] of file.prints) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  return files.map((file) => ({ ...file, prints: file.prints.filter(([hash]) => (counts.get(hash) ?? 0) > 1) }));
}

/** Positions of the kept hashes, each once, in order. */
export function winnow(hashes: readonly number[], window: number = WINDOW): readonly number[] {
  const kept: number[] = [];
  for (let start = 0; start + window <= hashes.length; start += 1) {
    let least = start;
    for (let at = start; at < start + window; at += 1) if ((hashes[at] ?? 0) <= (hashes[least] ?? 0)) least = at;
    if (kept.at(-1) !== least) kept.push(least);
  }
  if (hashes.length > 0 && hashes.length < window) kept.push(0);
  return kept;
}

/** A hash of 52 bits for each run, rolled along in two halves. */
function runHashes(tokens: readonly CodeToken[]): readonly number[] {
  const count = tokens.length - RUN + 1;
  if (count <= 0) return [];
  const values = tokens.map((token) => hashText(token.text));
  const high = roll(values, 0x01000193);
  const low = roll(values, 0x00010dcd);
  return high.map((value, index) => (value % 0x100000) * 0x100000000 + (low[index] ?? 0));
}

function roll(values: readonly number[], base: number): readonly number[] {
  let leading = 1;
  for (let index = 1; index < RUN; index += 1) leading = Math.imul(leading, base) >>> 0;
  const out: number[] = [];
  let hash = 0;
  for (const [index, value] of values.entries()) {
    if (index >= RUN) hash = (hash - Math.imul(values[index - RUN] ?? 0, leading)) >>> 0;
    hash = (Math.imul(hash, base) + value) >>> 0;
    if (index >= RUN - 1) out.push(scramble(hash));
  }
  return out;
}

/** FNV-1a over UTF-16 units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** Spreads the low bits, which a polynomial modulo 2^32 mixes badly. Source: MurmurHash3's finalizer. */
function scramble(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function withoutImports(tokens: readonly CodeToken[]): readonly CodeToken[] {
  const kept: CodeToken[] = [];
  let depth = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const text = tokens[at]?.text ?? '';
    if (depth === 0 && text === 'import' && !['(', '.'].includes(tokens[at + 1]?.text ?? '')) {
      const end = endOfImport(tokens, at);
      if (end !== undefined) {
        at = end;
        continue;
      }
    }
    if (text === '{') depth += 1;
    else if (text === '}') depth = Math.max(0, depth - 1);
    const token = tokens[at];
    if (token !== undefined) kept.push(token);
  }
  return kept;
}

function endOfImport(tokens: readonly CodeToken[], start: number): number | undefined {
  for (let at = start + 1; at < Math.min(tokens.length, start + 400); at += 1) {
    if (/^["']/.test(tokens[at]?.text ?? '')) return tokens[at + 1]?.text === ';' ? at + 1 : at;
  }
  return undefined;
}
