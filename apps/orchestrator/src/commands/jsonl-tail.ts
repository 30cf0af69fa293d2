/** `cadre jsonl tail`: the last records of a file, and those to come; damaged lines are told on stderr. */
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { followJsonl, type InvalidLine, jsonlParts, readJsonl } from '@cadre/jsonl';
import { type Console, openConsole, type SharedOptions } from '../console.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { plainLine } from '../view/plain-text.ts';

export interface JsonlTailOptions extends SharedOptions {
  /** How many records, damaged lines among them. */
  readonly lines?: number;
  readonly follow?: boolean;
}

export async function jsonlTail(host: Host, file: string, options: JsonlTailOptions): Promise<number> {
  const console = openConsole(host, options);
  const path = resolve(host.directory, file);
  const startOffset = await startOfLast(path, options.lines ?? 10, options.follow === true);
  const onInvalid = (line: InvalidLine) => tellDamage(console, line);
  const reading = { onInvalid, ...(startOffset === undefined ? {} : { startOffset }) };
  if (options.follow !== true) {
    for await (const batch of readJsonl(path, reading)) await printRecords(console, batch);
    return exitCodes.succeeded;
  }
  const onRestart = (reason: 'truncated' | 'replaced') => {
    console.warn(console.colors.yellow(`${plainLine(file)} was ${reason}; it goes on from its start`));
  };
  await using records = followJsonl(path, { ...reading, onRestart });
  const stopListening = host.onInterruption(() => void records.close());
  try {
    for await (const batch of records) await printRecords(console, batch);
  } finally {
    stopListening();
  }
  return exitCodes.succeeded;
}

const blockBytes = 64 * 1024;
const newline = 0x0a;

/**
 * Where the last lines begin that are not blank, from the end backwards, so that a huge file costs what is printed of it.
 * Undefined: a file that is yet to come.
 */
async function startOfLast(path: string, wanted: number, mayBeMissing: boolean): Promise<number | undefined> {
  const parts = await jsonlParts(path).catch((error: unknown) => {
    if (mayBeMissing && error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const [first] = parts;
  if (first === undefined) return undefined;
  const last = parts.at(-1) ?? first;
  const lines = new LinesBackwards(wanted);
  if (wanted === 0) return last.startOffset + last.byteLength;
  for (const part of parts.toReversed()) {
    const file = await open(part.path);
    try {
      const found = await lines.search(file, part.byteLength);
      if (found !== undefined) return part.startOffset + found;
    } finally {
      await file.close();
    }
  }
  return first.startOffset;
}

class LinesBackwards {
  readonly #wanted: number;
  #found = 0;
  #hasContent = false;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** Where the wanted line begins, if it is in this file. */
  async search(file: FileHandle, size: number): Promise<number | undefined> {
    const block = Buffer.allocUnsafe(Math.min(blockBytes, size));
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - block.length);
      const { bytesRead } = await file.read(block, 0, end - start, start);
      for (let index = bytesRead - 1; index >= 0; index--) {
        const byte = block[index];
        if (byte === newline) {
          if (this.#endsHere()) return start + index + 1;
        } else if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) this.#hasContent = true;
      }
      end = start;
    }
    return this.#endsHere() ? 0 : undefined;
  }

  #endsHere(): boolean {
    if (this.#hasContent) this.#found += 1;
    this.#hasContent = false;
    return this.#found === this.#wanted;
  }
}

async function printRecords({ host, print }: Console, records: readonly unknown[]): Promise<void> {
  for (const record of records) print(JSON.stringify(record));
  if (host.stdout.writableNeedDrain && !host.stdout.destroyed)
    await Promise.race([once(host.stdout, 'drain'), once(host.stdout, 'close')]);
}

function tellDamage({ warn, colors }: Console, { byteOffset, byteLength, reason, preview }: InvalidLine): void {
  warn(`${colors.red('✖')} byte ${byteOffset}: ${reason}, ${byteLength} bytes: ${plainLine(preview)}`);
}
