import { EventEmitter, once } from 'node:events';
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type FileOperations, nodeFileOperations, openJsonlLog, readJsonlValues } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-log-'));
let path = '';
let count = 0;
beforeEach(() => {
  path = join(directory, `log-${count++}.jsonl`);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function valuesOf(file: string): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of readJsonlValues(file)) values.push(value);
  return values;
}

/** The real operations, and a count of the syncs of a file. */
function counting() {
  const counts = { syncs: 0, writes: 0 };
  const fileOperations: FileOperations = {
    ...nodeFileOperations,
    datasync(file) {
      counts.syncs++;
      return nodeFileOperations.datasync(file);
    },
    write(file, bytes) {
      counts.writes++;
      return nodeFileOperations.write(file, bytes);
    },
  };
  return { counts, fileOperations };
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

function replace(file: string): void {
  writeFileSync(`${file}.new`, '1\n');
  renameSync(`${file}.new`, file);
}

describe('openJsonlLog', () => {
  test('writes records in the order of the calls and knows its size', async () => {
    const log = await openJsonlLog(path);
    expect([log.path, log.size, log.recovered]).toEqual([path, 0, undefined]);
    await Promise.all([log.append({ a: 1 }), log.appendMany(['ü', [2]]), log.append(null)]);
    await log.appendMany([]);
    expect(log.size).toBe(statSync(path).size);
    await log.close();
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n"ü"\n[2]\nnull\n');
  });

  test('shares one write and one sync among the appends that wait', async () => {
    const { counts, fileOperations } = counting();
    const log = await openJsonlLog(path, { fileOperations });
    counts.syncs = 0;
    let left = 40;
    const caller = async () => {
      while (left-- > 0) await log.append({ left });
    };
    await Promise.all(Array.from({ length: 10 }, caller));
    expect(counts).toEqual({ syncs: 4, writes: 4 });
    await log.close();
    expect(await valuesOf(path)).toHaveLength(40);
  });

  test('has what the file held on disk before it resolves, and its entry too', async () => {
    const done: string[] = [];
    writeFileSync(path, '1\n');
    const log = await openJsonlLog(path, {
      fileOperations: {
        ...nodeFileOperations,
        async datasync(file) {
          await nodeFileOperations.datasync(file);
          done.push('data');
        },
        async syncEntry(file) {
          await nodeFileOperations.syncEntry(file);
          done.push('entry');
        },
      },
    });
    expect(done).toEqual(['data', 'entry']);
    await log.close();
  });

  test('cuts a torn tail and says how long it was', async () => {
    const torn = `{"text":"${'x'.repeat(200_000)}`;
    writeFileSync(path, `1\n2\n${torn}`);
    const log = await openJsonlLog(path);
    expect([log.recovered, log.size]).toEqual([{ cutBytes: torn.length }, 4]);
    await log.append(3);
    await log.close();
    expect(await valuesOf(path)).toEqual([1, 2, 3]);
  });

  test('cuts a file that is one torn record to nothing', async () => {
    writeFileSync(path, '\0\0\0{"a"');
    const log = await openJsonlLog(path);
    expect([log.recovered, log.size]).toEqual([{ cutBytes: 7 }, 0]);
    await log.close();
  });

  test('leaves a file alone that no log can have written, and is not left holding it', async () => {
    writeFileSync(path, 'x'.repeat(300_000));
    const small = { maxRecordBytes: 1_000, maxQueuedBytes: 1_000 };
    await expect(openJsonlLog(path, small)).rejects.toMatchObject({ code: 'JSONL_LOG_NOT_A_LOG' });
    expect(statSync(path).size).toBe(300_000);
    await expect(openJsonlLog('/dev/null')).rejects.toMatchObject({ code: 'JSONL_LOG_NOT_A_LOG' });
    writeFileSync(path, '');
    await (await openJsonlLog(path)).close();
  });

  test('refuses a value JSON cannot say and goes on', async () => {
    const log = await openJsonlLog(path);
    await expect(log.append(undefined)).rejects.toThrow(TypeError);
    await expect(log.appendMany([1, Number.NaN])).rejects.toThrow(TypeError);
    await log.append(2);
    await log.close();
    expect(await valuesOf(path)).toEqual([2]);
  });

  test('refuses a record that readers would refuse', async () => {
    const log = await openJsonlLog(path, { maxRecordBytes: 10 });
    await expect(log.append('üüüü')).rejects.toMatchObject({ code: 'JSONL_RECORD_TOO_LONG' });
    await log.append('1234567');
    await log.close();
  });

  test('holds back what does not fit in the queue, in order, and refuses what does not fit behind it', async () => {
    const log = await openJsonlLog(path, { maxQueuedBytes: 10, maxWaiting: 50 });
    const appends = Array.from({ length: 53 }, (_, id) => log.append(`record ${id}`));
    const results = await Promise.allSettled(appends);
    expect(results.slice(0, 51).every((result) => result.status === 'fulfilled')).toBe(true);
    for (const result of results.slice(51)) expect(result).toMatchObject({ reason: { code: 'JSONL_LOG_FULL' } });
    await log.close();
    expect(await valuesOf(path)).toEqual(Array.from({ length: 51 }, (_, id) => `record ${id}`));
  });

  test('finishes accepted work on close, once, and then refuses', async () => {
    const log = await openJsonlLog(path, { maxQueuedBytes: 10 });
    const appends = Array.from({ length: 20 }, (_, id) => log.append(`record ${id}`));
    const closing = log.close();
    expect(log.close()).toBe(closing);
    await expect(log.append(1)).rejects.toMatchObject({ code: 'JSONL_LOG_CLOSED' });
    await closing;
    await Promise.all(appends);
    await log[Symbol.asyncDispose]();
    expect(await valuesOf(path)).toHaveLength(20);
  });

  test('syncs nothing until told with durability sync, then all, and once', async () => {
    const { counts, fileOperations } = counting();
    const log = await openJsonlLog(path, { fileOperations, durability: 'sync', maxQueuedBytes: 10 });
    counts.syncs = 0;
    for (let id = 0; id < 3; id++) await log.append(id);
    expect([counts.syncs, log.size]).toEqual([0, 6]);
    const appends = Array.from({ length: 9 }, (_, id) => log.append(`record ${id}`));
    await log.sync();
    expect([counts.syncs, log.size]).toEqual([1, 6 + 9 * 11]);
    await Promise.all(appends);
    await log.sync();
    expect(counts.syncs).toBe(1);
    await log.append('last');
    await log.close();
    expect(counts.syncs).toBe(2);
    await expect(log.sync()).rejects.toMatchObject({ code: 'JSONL_LOG_CLOSED' });
  });

  // Fails where a sync that failed is tried again, or where close does not sync.
  test('is poisoned by a sync that fails, and says so on close where that was the first to sync', async () => {
    let isArmed = false;
    const faulty = (file: number) => {
      if (!isArmed) return nodeFileOperations.datasync(file);
      isArmed = false;
      return Promise.reject(systemError('EIO'));
    };
    const fileOperations = { ...nodeFileOperations, datasync: faulty };
    const first = await openJsonlLog(path, { durability: 'sync', fileOperations });
    await first.append(1);
    isArmed = true;
    await expect(first.sync()).rejects.toMatchObject({ code: 'JSONL_LOG_POISONED' });
    await expect(first.sync()).rejects.toMatchObject({ code: 'JSONL_LOG_POISONED' });
    await expect(first.append(2)).rejects.toMatchObject({ code: 'JSONL_LOG_POISONED' });
    await first.close();
    const second = await openJsonlLog(path, { durability: 'sync', fileOperations });
    await second.append(3);
    isArmed = true;
    await expect(second.close()).rejects.toMatchObject({ code: 'JSONL_LOG_POISONED' });
    await (await openJsonlLog(path)).close();
  });

  test('ends only the waiting when the signal of close aborts', async () => {
    const gate = new EventEmitter();
    const held = once(gate, 'release').then(() => undefined);
    let isHeld = false;
    const log = await openJsonlLog(path, {
      fileOperations: {
        ...nodeFileOperations,
        datasync: (file) => (isHeld ? held : nodeFileOperations.datasync(file)),
      },
    });
    isHeld = true;
    const appended = log.append(1);
    const controller = new AbortController();
    const closing = log.close({ signal: controller.signal });
    controller.abort(new Error('impatient'));
    await expect(closing).rejects.toThrow('impatient');
    gate.emit('release');
    await appended;
    await log.close();
  });

  // Each fails against a log that ignores the count of bytes written, or tries the sync again.
  test.for<[string, Partial<FileOperations>]>([
    ['a short write', { write: (file, bytes) => nodeFileOperations.write(file, bytes.subarray(0, bytes.length >> 1)) }],
    ['a full disk', { write: () => Promise.reject(systemError('ENOSPC')) }],
    ['a failed sync', { datasync: () => Promise.reject(systemError('EIO')) }],
  ])('is poisoned for good by %s', async ([, fault]) => {
    let fired = 0;
    let isArmed = false;
    const armed = <Arguments extends unknown[], R>(
      real: (...all: Arguments) => R,
      faulty?: (...all: Arguments) => R,
    ) => {
      return (...all: Arguments): R => {
        if (!isArmed || faulty === undefined) return real(...all);
        // Only once: a log that tried again would be believed.
        isArmed = false;
        fired++;
        return faulty(...all);
      };
    };
    const log = await openJsonlLog(path, {
      fileOperations: {
        ...nodeFileOperations,
        write: armed(nodeFileOperations.write, fault.write),
        datasync: armed(nodeFileOperations.datasync, fault.datasync),
      },
    });
    await log.append('acknowledged');
    isArmed = true;
    const group = [log.append('lost 1'), log.append('lost 2')];
    await Promise.allSettled(group);
    const poisoned = { code: 'JSONL_LOG_POISONED', cause: expect.any(Error), message: expect.stringContaining(path) };
    for (const append of group) await expect(append).rejects.toMatchObject(poisoned);
    await expect(log.append('later')).rejects.toMatchObject(poisoned);
    expect(fired).toBe(1);
    await log.close();
    const reopened = await openJsonlLog(path);
    await reopened.append('after');
    await reopened.close();
    const values = await valuesOf(path);
    expect([values.at(0), values.at(-1)]).toEqual(['acknowledged', 'after']);
    expect(values).not.toContain('later');
  });

  test('rejects what waited in the queue behind a failure', async () => {
    let isArmed = false;
    const log = await openJsonlLog(path, {
      maxQueuedBytes: 5,
      fileOperations: {
        ...nodeFileOperations,
        datasync: (file) => (isArmed ? Promise.reject(systemError('EIO')) : nodeFileOperations.datasync(file)),
      },
    });
    isArmed = true;
    const appends = Array.from({ length: 5 }, (_, id) => log.append(`record ${id}`));
    for (const result of await Promise.allSettled(appends)) {
      expect(result).toMatchObject({ reason: { code: 'JSONL_LOG_POISONED' } });
    }
    await log.close();
  });

  test.for<[string, (file: string) => void]>([
    ['renamed', (file) => renameSync(file, `${file}.old`)],
    ['removed', (file) => rmSync(file)],
    ['replaced', replace],
    ['cut', (file) => truncateSync(file, 0)],
    ['written to by another program', (file) => appendFileSync(file, '{"foreign":')],
  ])('acknowledges nothing once the file was %s', async ([, change]) => {
    const log = await openJsonlLog(path);
    await log.append(1);
    change(path);
    await expect(log.append(2)).rejects.toMatchObject({ code: 'JSONL_LOG_REPLACED' });
    await expect(log.append(3)).rejects.toMatchObject({ code: 'JSONL_LOG_REPLACED' });
    await log.close();
  });

  // Fails against a log that looks at its path only when it is opened.
  test('acknowledges nothing after any of 50 times that its path was renamed over', async () => {
    let fired = 0;
    for (let round = 0; round < 50; round++) {
      const log = await openJsonlLog(path, round % 2 === 0 ? {} : { mode: 'shared' });
      for (let id = 0; id < round % 5; id++) await log.append(id);
      replace(path);
      fired++;
      await expect(log.append('lost')).rejects.toMatchObject({ code: 'JSONL_LOG_REPLACED' });
      await log.close();
      expect(readFileSync(path, 'utf8')).toBe('1\n');
    }
    expect(fired).toBe(50);
  });

  // Fails against a log that tries a failed sync again: each fails once only.
  test('acknowledges nothing from the sync on that fails, whichever it is', async () => {
    let fired = 0;
    for (let failing = 1; failing <= 60; failing++) {
      const file = `${path}-${failing}`;
      let syncs = 0;
      const fileOperations: FileOperations = {
        ...nodeFileOperations,
        datasync(descriptor) {
          if (++syncs !== failing) return nodeFileOperations.datasync(descriptor);
          fired++;
          return Promise.reject(systemError('EIO'));
        },
      };
      const acknowledged: number[] = [];
      try {
        const log = await openJsonlLog(file, { fileOperations, maxPartBytes: 40 });
        const failures: unknown[] = [];
        for (let id = 0; id < 60; id++) {
          await log.append(id).then(
            () => acknowledged.push(id),
            (error: unknown) => failures.push(error),
          );
          if (failures.length > 0) expect(failures).toHaveLength(id - acknowledged.length + 1);
        }
        expect(failures).toContainEqual(expect.objectContaining({ code: 'JSONL_LOG_POISONED' }));
        await log.close();
      } catch (error) {
        expect([failing, error]).toMatchObject([1, { code: 'EIO' }]);
      }
      expect(await valuesOf(file)).toEqual(expect.arrayContaining(acknowledged));
    }
    expect(fired).toBe(60);
  });

  test('lets several logs append in shared mode, each batch framed by newlines', async () => {
    writeFileSync(path, '{"torn":');
    const logs = await Promise.all([openJsonlLog(path, { mode: 'shared' }), openJsonlLog(path, { mode: 'shared' })]);
    expect(logs[0]?.recovered).toBeUndefined();
    await Promise.all(
      logs.flatMap((log, index) => [log.append(`a${index}`), log.appendMany([`b${index}`, `c${index}`])]),
    );
    for (const log of logs) await log.close();
    expect(readFileSync(path, 'utf8')).toMatch(
      /^\{"torn":\n"a0"\n"b0"\n"c0"\n\n"a1"\n"b1"\n"c1"\n$|^\{"torn":\n"a1"[\s\S]+\n"c0"\n$/,
    );
    const invalid: string[] = [];
    const values: unknown[] = [];
    for await (const value of readJsonlValues(path, { onInvalid: (line) => invalid.push(line.reason) }))
      values.push(value);
    expect([values.length, invalid]).toEqual([6, ['syntax']]);
  });

  test.for([
    ['mode', 'private'],
    ['maxQueuedBytes', 0],
    ['maxRecordBytes', 1],
    ['maxWaiting', 0.5],
    ['fileMode', 0o1000],
  ])('refuses %s: %s', async ([name, value]) => {
    await expect(openJsonlLog(path, { [String(name)]: value })).rejects.toThrow(`\`${name}\``);
  });
});
