/** Reads files as text within bounds: what is binary or too large is named, never half-read. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceFile } from './source-tree.ts';

export type ReadText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'unreadable' };

/** Larger files are generated or data in practice, and would hold one agent for seconds. */
const MAX_TEXT_BYTES = 2 * 1024 * 1024;

export async function readText(root: string, file: SourceFile): Promise<ReadText> {
  if (file.bytes > MAX_TEXT_BYTES) return { kind: 'too-large' };
  const bytes = await readFile(join(root, file.path)).catch(() => undefined);
  if (bytes === undefined) return { kind: 'unreadable' };
  if (bytes.subarray(0, 8192).includes(0)) return { kind: 'binary' };
  const text = bytes.toString('utf8');
  return { kind: 'text', text: text.charCodeAt(0) === 0xfeff ? text.slice(1) : text };
}

/** What could not be read as text, in plain sentences that name the reason and the first few files. */
export class UnreadFiles {
  readonly #byReason = new Map<string, string[]>();

  add(reason: string, path: string): void {
    const paths = this.#byReason.get(reason);
    if (paths === undefined) this.#byReason.set(reason, [path]);
    else paths.push(path);
  }

  notes(): readonly string[] {
    return [...this.#byReason].map(([reason, paths]) => {
      const named = paths.slice(0, 5).map((path) => JSON.stringify(path));
      const rest = paths.length > named.length ? ` and ${paths.length - named.length} more` : '';
      return `${paths.length} ${paths.length === 1 ? 'file' : 'files'} ${reason}: ${named.join(', ')}${rest}.`;
    });
  }
}

export const TOO_LARGE = `not read, being larger than ${MAX_TEXT_BYTES / 1024 / 1024} MiB`;
