import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { reviewProject, trustProject } from './trust.ts';
import { type ConfigEvent, type ConfigWatch, type WatchClock, type WatchOptions, watchConfig } from './watch.ts';

const schema = z.strictObject({ concurrency: z.number(), url: z.string().optional() });

let base: string;
let root: string;
let cwd: string;
let userDirectory: string;
let trustDirectory: string;
let file: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'cadre-watch-'));
  root = join(base, 'tree');
  cwd = join(root, 'project', 'inner');
  userDirectory = join(base, 'home', 'config', 'cadre');
  trustDirectory = join(base, 'home', 'state', 'trusted');
  mkdirSync(cwd, { recursive: true });
  file = join(root, 'project', 'cadre.config.yaml');
  writeFileSync(file, 'concurrency: 1\n');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Time passes as soon as someone waits for it, unless it is held. */
class TestClock implements WatchClock {
  waits = 0;
  held: Promise<void> = Promise.resolve();

  async wait(_ms: number, signal: AbortSignal): Promise<void> {
    this.waits++;
    await Promise.race([
      this.held,
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    ]);
  }
}

type Value = z.infer<typeof schema>;

function open(options: Partial<WatchOptions<typeof schema>> = {}): Promise<ConfigWatch<Value>> {
  const where = { cwd, topDirectory: root, userDirectory, trustDirectory, userOnly: ['url'] };
  const defaults = { concurrency: 0 };
  return watchConfig({ schema, name: 'cadre', defaults, clock: new TestClock(), ...where, ...options });
}

async function next(events: AsyncIterator<ConfigEvent<Value>>): Promise<ConfigEvent<Value>> {
  const { done, value } = await events.next();
  if (done === true) throw new Error('the watch has ended');
  return value;
}

function watches(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;
}

/** The event loop takes a turn to let go of what was closed. */
async function watchesLeft(expected: number): Promise<number> {
  for (let turn = 0; turn < 100 && watches() !== expected; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  return watches();
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

describe('watchConfig', () => {
  test('tells of a file that is written, replaced, removed and made, each with a new frozen value', async () => {
    await using watch = await open();
    const events = watch[Symbol.asyncIterator]();
    const first = watch.current;
    expect(first.value.concurrency).toBe(1);
    const changes: readonly (readonly [() => void, number])[] = [
      [() => writeFileSync(file, 'concurrency: 2\n'), 2],
      [() => replace(file, 'concurrency: 3\n'), 3],
      [() => replace(file, 'concurrency: 4\n'), 4],
      [() => rmSync(file), 0],
      [() => writeFileSync(file.replace('.yaml', '.toml'), 'concurrency = 5\n'), 5],
    ];
    for (const [change, expected] of changes) {
      change();
      const event = await next(events);
      expect(event).toMatchObject({ type: 'changed', config: { value: { concurrency: expected } } });
      expect(Object.isFrozen(event.config.value)).toBe(true);
      expect(watch.current).toBe(event.config);
    }
    expect(first.value.concurrency).toBe(1);
  });

  test('tells of a file nearer by, and of one further away when that is gone', async () => {
    await using watch = await open();
    const events = watch[Symbol.asyncIterator]();
    writeFileSync(join(cwd, 'cadre.config.json'), '{"concurrency": 7}');
    expect((await next(events)).config.value.concurrency).toBe(7);
    rmSync(join(cwd, 'cadre.config.json'));
    expect((await next(events)).config.value.concurrency).toBe(1);
    rmSync(file);
    expect((await next(events)).config.value.concurrency).toBe(0);
    writeFileSync(join(root, 'cadre.config.yaml'), 'concurrency: 9\n');
    expect((await next(events)).config.value.concurrency).toBe(9);
  });

  // A watch of the user's folder alone, which is not there yet, never tells of this.
  test("tells of the user's file when even its folders are made later, and of folders that are moved", async () => {
    rmSync(file);
    await using watch = await open();
    const events = watch[Symbol.asyncIterator]();
    mkdirSync(userDirectory, { recursive: true });
    writeFileSync(join(userDirectory, 'config.yaml'), 'concurrency: 11\n');
    expect((await next(events)).config.value.concurrency).toBe(11);
    renameSync(userDirectory, `${userDirectory}.old`);
    expect((await next(events)).config.value.concurrency).toBe(0);
    renameSync(`${userDirectory}.old`, userDirectory);
    expect((await next(events)).config.value.concurrency).toBe(11);
    writeFileSync(join(userDirectory, 'config.yaml'), 'concurrency: 12\n');
    expect((await next(events)).config.value.concurrency).toBe(12);
  });

  test('follows links, also when what is replaced is a link on the way', async () => {
    rmSync(file);
    for (const version of [1, 2]) {
      mkdirSync(join(root, 'project', `v${version}`));
      writeFileSync(join(root, 'project', `v${version}`, 'cadre.config.yaml'), `concurrency: 2${version}\n`);
    }
    symlinkSync('v1', join(root, 'project', '..data'));
    symlinkSync('..data/cadre.config.yaml', file);
    await using watch = await open();
    const events = watch[Symbol.asyncIterator]();
    expect(watch.current.value.concurrency).toBe(21);
    symlinkSync('v2', join(root, 'project', '..next'));
    renameSync(join(root, 'project', '..next'), join(root, 'project', '..data'));
    expect((await next(events)).config.value.concurrency).toBe(22);
    writeFileSync(join(root, 'project', 'v2', 'cadre.config.yaml'), 'concurrency: 23\n');
    expect((await next(events)).config.value.concurrency).toBe(23);
  });

  test('keeps the last good value while an edit is broken, and tells when it is whole again', async () => {
    await using watch = await open();
    const events = watch[Symbol.asyncIterator]();
    replace(file, 'concurrency: [\n');
    const broken = await next(events);
    expect(broken).toMatchObject({
      type: 'broken',
      config: { value: { concurrency: 1 } },
      error: { code: 'CONFIG_INVALID' },
    });
    expect(watch.current.value.concurrency).toBe(1);
    writeFileSync(join(root, 'project', 'cadre.config.toml'), '');
    expect(await next(events)).toMatchObject({ type: 'broken', error: { code: 'CONFIG_AMBIGUOUS_FILE' } });
    rmSync(join(root, 'project', 'cadre.config.toml'));
    expect(await next(events)).toMatchObject({ type: 'broken', error: { code: 'CONFIG_INVALID' } });
    replace(file, 'concurrency: 1\n');
    expect(await next(events)).toMatchObject({ type: 'changed', config: { value: { concurrency: 1 } } });
  });

  test('heeds trust from the moment it is given', async () => {
    await using watch = await open();
    const events = watch[Symbol.asyncIterator]();
    replace(file, 'concurrency: 1\nurl: https://theirs\n');
    const review = await reviewProject({ name: 'cadre', cwd, topDirectory: root, userOnly: ['url'], trustDirectory });
    expect(watch.current.value.url).toBe(undefined);
    if (review !== undefined) await trustProject(review, { trustDirectory });
    expect((await next(events)).config.value.url).toBe('https://theirs');
    replace(file, 'concurrency: 1\nurl: https://others\n');
    expect((await next(events)).config.value.url).toBe(undefined);
  });

  test('says nothing of edits that change no value, and joins those that come together', async () => {
    const clock = new TestClock();
    await using watch = await open({ clock });
    const events = watch[Symbol.asyncIterator]();
    let release: () => void = () => undefined;
    clock.held = new Promise((resolve) => {
      release = resolve;
    });
    for (const text of ['# a comment\nconcurrency: 1\n', 'concurrency: [', 'concurrency: 5\n', 'concurrency: 6\n']) {
      replace(file, text);
    }
    release();
    expect(await next(events)).toMatchObject({ type: 'changed', config: { value: { concurrency: 6 } } });
    replace(file, '# another\nconcurrency: 6\n');
    replace(join(root, 'project', 'unrelated.txt'), 'x');
    replace(file, 'concurrency: 8\n');
    expect((await next(events)).config.value.concurrency).toBe(8);
    expect(clock.waits).toBeGreaterThan(0);
  });

  test('gives a slow consumer the newest event only', async () => {
    await using watch = await open();
    for (const value of [2, 3, 4]) {
      replace(file, `concurrency: ${value}\n`);
      while (watch.current.value.concurrency !== value) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await next(watch[Symbol.asyncIterator]())).config.value.concurrency).toBe(4);
  });
});

describe('the end of a watch', () => {
  test('releases every watch after break, close, dispose and failure', async () => {
    const before = await watchesLeft(0);
    const watch = await open();
    expect(watches()).toBeGreaterThan(before);
    replace(file, 'concurrency: 2\n');
    for await (const event of watch) {
      expect(event.type).toBe('changed');
      break;
    }
    expect(await watchesLeft(before)).toBe(before);
    {
      await using second = await open();
      const events = second[Symbol.asyncIterator]();
      const waiting = events.next();
      await Promise.all([second.close(), second.close()]);
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(await events.next()).toEqual({ done: true, value: undefined });
    }
    expect(await watchesLeft(before)).toBe(before);
    replace(file, 'concurrency: [\n');
    await expect(open()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await watchesLeft(before)).toBe(before);
  });

  test('can come in the middle of a wait', async () => {
    const before = await watchesLeft(0);
    const clock = new TestClock();
    clock.held = new Promise(() => undefined);
    const watch = await open({ clock });
    replace(file, 'concurrency: 2\n');
    while (clock.waits === 0) await new Promise((resolve) => setImmediate(resolve));
    await watch.close();
    expect(await watchesLeft(before)).toBe(before);
  });

  test('comes with the signal, whose reason the consumer gets', async () => {
    const before = await watchesLeft(0);
    const controller = new AbortController();
    const watch = await open({ signal: controller.signal });
    const waiting = watch[Symbol.asyncIterator]().next();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(await watchesLeft(before)).toBe(before);
    await expect(open({ signal: controller.signal })).rejects.toBe(reason);
    expect(await watchesLeft(before)).toBe(before);
  });

  test('comes with a schema that throws', async () => {
    let throws = false;
    const moody = {
      '~standard': {
        version: 1 as const,
        vendor: 'own',
        validate: (value: unknown) => {
          if (throws) throw new TypeError('no more');
          return { value };
        },
      },
    };
    const where = { cwd, topDirectory: root };
    const watch = await watchConfig({ schema: moody, name: 'cadre', clock: new TestClock(), ...where });
    throws = true;
    const waiting = watch[Symbol.asyncIterator]().next();
    replace(file, 'concurrency: 2\n');
    await expect(waiting).rejects.toThrow('no more');
    await watch.close();
  });

  test('is not for two consumers, and options are checked', async () => {
    await using watch = await open();
    watch[Symbol.asyncIterator]();
    expect(() => watch[Symbol.asyncIterator]()).toThrow(TypeError);
    await expect(open({ debounceMs: -1 })).rejects.toThrow(RangeError);
  });
});
