import { appendFileSync, mkdtempSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FollowOptions, followJsonl, type InvalidLine, type JsonlFollower } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-follow-'));
let path = '';
let count = 0;
let follower: JsonlFollower<unknown> | undefined;
beforeEach(() => {
  path = join(directory, `grows-${count++}.jsonl`);
});
afterEach(async () => {
  await follower?.close();
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Follows the path; `next(n)` waits until n more values have come. */
function follow(options: FollowOptions = {}) {
  const following = followJsonl(path, { pollMs: 20, ...options });
  follower = following;
  const batches = following[Symbol.asyncIterator]();
  const waiting: unknown[] = [];
  const next = async (wanted: number): Promise<unknown[]> => {
    while (waiting.length < wanted) {
      const { value, done } = await batches.next();
      if (done) throw new Error(`Ended after ${waiting.length} values`);
      waiting.push(...value);
    }
    return waiting.splice(0, wanted);
  };
  return { following, batches, next };
}

describe('followJsonl', () => {
  test('returns what is there and what comes, a line once it has its newline', async () => {
    writeFileSync(path, '1\n2\n');
    const { next } = follow();
    expect(await next(2)).toEqual([1, 2]);
    appendFileSync(path, '3\n{"half":');
    expect(await next(1)).toEqual([3]);
    appendFileSync(path, 'true}\n4\n');
    expect(await next(2)).toEqual([{ half: true }, 4]);
  });

  test('waits for a file that is not there yet', async () => {
    const { next } = follow();
    const first = next(1);
    writeFileSync(path, '1\n');
    expect(await first).toEqual([1]);
  });

  test('begins again after truncation and reports the line that was cut off', async () => {
    const restarts: string[] = [];
    const invalid: InvalidLine[] = [];
    writeFileSync(path, '1\n2\n"half');
    const { next } = follow({ onRestart: (reason) => restarts.push(reason), onInvalid: (line) => invalid.push(line) });
    expect(await next(2)).toEqual([1, 2]);
    truncateSync(path, 0);
    appendFileSync(path, '3\n');
    expect(await next(1)).toEqual([3]);
    expect(restarts).toEqual(['truncated']);
    expect(invalid).toMatchObject([{ reason: 'cut-off', lineNumber: 3 }]);
  });

  test('recognises a file that was rewritten and is longer than before', async () => {
    writeFileSync(path, '1\n2\n');
    const { next } = follow();
    expect(await next(2)).toEqual([1, 2]);
    writeFileSync(path, '"a"\n"b"\n"c"\n');
    expect(await next(3)).toEqual(['a', 'b', 'c']);
  });

  test('reads a replaced file to its end before the new one', async () => {
    const restarts: string[] = [];
    writeFileSync(path, '1\n');
    const { next } = follow({ onRestart: (reason) => restarts.push(reason) });
    expect(await next(1)).toEqual([1]);
    appendFileSync(path, '2\n');
    renameSync(path, `${path}.old`);
    appendFileSync(`${path}.old`, '3\n');
    writeFileSync(path, '4\n');
    expect(await next(3)).toEqual([2, 3, 4]);
    expect(restarts).toEqual(['replaced']);
  });

  test('goes on after the file was removed and made anew', async () => {
    writeFileSync(path, '1\n');
    const { next } = follow();
    expect(await next(1)).toEqual([1]);
    rmSync(path);
    writeFileSync(path, '2\n');
    expect(await next(1)).toEqual([2]);
  });

  test('begins at startOffset', async () => {
    writeFileSync(path, '1\n2\n3\n');
    expect(await follow({ startOffset: 4 }).next(1)).toEqual([3]);
  });

  test('throws for a bad line by default, and closes', async () => {
    writeFileSync(path, '1\n{\n');
    const { next } = follow();
    expect(await next(1)).toEqual([1]);
    await expect(next(1)).rejects.toMatchObject({ code: 'JSONL_INVALID_LINE', message: expect.stringContaining(path) });
  });

  test('ends without an error on close, also while it waits, and leaves no descriptor open', async () => {
    writeFileSync(path, '1\n');
    const before = readdirSync('/proc/self/fd').length;
    const { following, batches, next } = follow({ pollMs: 60_000 });
    expect(await next(1)).toEqual([1]);
    const waiting = batches.next();
    await following.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await following[Symbol.asyncDispose]();
    for await (const _ of following) throw new Error('nothing can come any more');
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 1);
  });

  test('rejects with the reason of the signal', async () => {
    const controller = new AbortController();
    const { batches } = follow({ signal: controller.signal, pollMs: 60_000 });
    const waiting = batches.next();
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
  });

  test('refuses a second consumer, and options out of range', () => {
    const { following } = follow();
    expect(() => following[Symbol.asyncIterator]()).toThrow(TypeError);
    expect(() => followJsonl(path, { pollMs: 0 })).toThrow('pollMs');
    expect(() => followJsonl(path, { maxDepth: 0 })).toThrow('maxDepth');
  });
});
