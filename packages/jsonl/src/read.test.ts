import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type InvalidLine,
  type JsonlSource,
  type ReadOptions,
  readJsonl,
  readJsonlEntries,
  readJsonlValues,
} from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-read-'));
const path = join(directory, 'values.jsonl');
const records = Array.from({ length: 20_000 }, (_, id) => ({ id, text: `n° ${id} ${'x'.repeat(id % 97)}` }));
const content = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));

beforeAll(() => writeFileSync(path, content));
afterAll(() => rmSync(directory, { recursive: true }));

async function collect(source: JsonlSource, options?: ReadOptions): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const batch of readJsonl(source, options)) {
    expect(batch.length).toBeGreaterThan(0);
    values.push(...batch);
  }
  return values;
}

function* pieces(bytes: number): Generator<Buffer> {
  for (let start = 0; start < content.length; start += bytes) yield content.subarray(start, start + bytes);
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('readJsonl', () => {
  test.for<[string, () => JsonlSource]>([
    ['a path', () => path],
    ['a URL', () => pathToFileURL(path)],
    ['bytes', () => content],
    ['an iterable', () => pieces(1_009)],
    ['an async iterable', () => Readable.from(pieces(70_001))],
  ])('returns every value of %s in order', async ([, source]) => {
    expect(await collect(source())).toEqual(records);
  });

  test('begins at startOffset and reports absolute offsets', async () => {
    const first = content.indexOf(10) + 1;
    for (const source of [path, content, Readable.from(pieces(1_009))]) {
      expect(await collect(source, { startOffset: first })).toEqual(records.slice(1));
    }
    const invalid: InvalidLine[] = [];
    await collect(Buffer.from('1\n2\n{\n'), { startOffset: 2, onInvalid: (line) => invalid.push(line) });
    expect(invalid).toMatchObject([{ lineNumber: 2, byteOffset: 4 }]);
  });

  test('yields the values before a bad line, then throws with the path in the message', async () => {
    const bad = join(directory, 'bad.jsonl');
    writeFileSync(bad, '1\n2\n{\n3\n');
    const seen: unknown[] = [];
    const reading = async () => {
      for await (const value of readJsonlValues(bad)) seen.push(value);
    };
    await expect(reading()).rejects.toMatchObject({
      code: 'JSONL_INVALID_LINE',
      line: { lineNumber: 3 },
      message: expect.stringContaining(bad),
    });
    expect(seen).toEqual([1, 2]);
  });

  test('keeps batches as small as batchBytes makes them', async () => {
    const sizes: number[] = [];
    for await (const batch of readJsonl(path, { batchBytes: 4_096 })) sizes.push(batch.length);
    expect(Math.max(...sizes)).toBeLessThan(4_096 / 20);
  });

  test('counts the lines and bytes that where leaps over, and reports a line too long among them', async () => {
    const lines = Array.from({ length: 3_000 }, (_, id) => JSON.stringify({ id, kind: id % 7 === 0 ? 'a' : 'b' }));
    lines.splice(1_500, 0, JSON.stringify({ id: 'x'.repeat(500), kind: 'b' }));
    const selected = join(directory, 'selected.jsonl');
    writeFileSync(selected, `${lines.join('\n')}\n`);
    const reported: number[] = [];
    const onInvalid = (line: InvalidLine) => reported.push(line.lineNumber);
    const read = async (options: ReadOptions) => {
      const entries: unknown[] = [];
      const all = { ...options, maxLineBytes: 300, onInvalid };
      for await (const batch of readJsonlEntries<{ kind: string }>(selected, all)) {
        entries.push(...batch.filter(({ value }) => value.kind === 'a'));
      }
      return entries;
    };

    const expected = await read({});
    expect(expected.length).toBe(Math.ceil(3_000 / 7));
    for (const batchBytes of [1, 1_000, 2 ** 20]) {
      expect(await read({ where: { kind: 'a' }, batchBytes })).toEqual(expected);
    }
    expect(reported).toEqual([1_501, 1_501, 1_501, 1_501]);
  });

  test('closes the file when the loop is left', async () => {
    const before = openDescriptors();
    for await (const _ of readJsonl(path)) break;
    await expect(
      (async () => {
        for await (const _ of readJsonl(path)) throw new Error('enough');
      })(),
    ).rejects.toThrow('enough');
    expect(openDescriptors()).toBe(before);
  });

  test('lets the event loop turn while it reads what is at hand', async () => {
    for (const source of [path, Buffer.concat(Array(4).fill(content)), pieces(5_000)]) {
      let turned = false;
      setImmediate(() => {
        turned = true;
      });
      await collect(source);
      expect(turned).toBe(true);
    }
  });

  test('ends the wait for a silent stream with the reason of the signal', async () => {
    const stream = new PassThrough();
    stream.write('1\n');
    const controller = new AbortController();
    const reason = new Error('stop');
    const values = readJsonlValues(stream, { signal: controller.signal });
    expect(await values.next()).toEqual({ done: false, value: 1 });
    const next = values.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(stream.destroyed).toBe(true);
  });

  test('does nothing for a signal already aborted', async () => {
    const reason = new Error('never');
    await expect(collect('/nowhere', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('passes on the error of a file that is not there, and of a stream that fails', async () => {
    await expect(collect(join(directory, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
    const failing = new PassThrough();
    failing.write('1\n');
    failing.destroy(new Error('gone'));
    await expect(collect(failing)).rejects.toThrow('gone');
  });

  test('refuses chunks of text, and options out of range', async () => {
    await expect(collect(Readable.from(['1\n']))).rejects.toThrow('Uint8Array');
    await expect(collect(path, { startOffset: -1 })).rejects.toThrow(RangeError);
    await expect(collect(path, { batchBytes: 0 })).rejects.toThrow('batchBytes');
  });

  test('reads nothing from an empty source', async () => {
    expect(await collect(Buffer.alloc(0))).toEqual([]);
  });

  test('handles a line longer than many chunks', async () => {
    const long = { text: 'ö'.repeat(3_000_000) };
    writeFileSync(join(directory, 'long.jsonl'), `1\n${JSON.stringify(long)}\n2\n`);
    expect(await collect(join(directory, 'long.jsonl'))).toEqual([1, long, 2]);
  });
});
