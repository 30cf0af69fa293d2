/**
 * For those who write a store: the suite that every store passes, ours included, and a store that fails on demand.
 * It asks nothing of the test runner but a function `test(name, body)`.
 */
import assert from 'node:assert/strict';
import type { StoreOperation } from './errors.ts';
import type { Store, StoredEntry } from './store.ts';

export interface StoreContractOptions {
  /** The runner's own: `test` of vitest or of node:test. */
  readonly test: (name: string, body: () => Promise<void>) => unknown;
  /** A new, empty store with room for at least a megabyte that takes entries of 100,000 bytes and refuses those of 101,000. */
  readonly open: () => Promise<Store> | Store;
}

/** Registers one test for each thing that a store promises. */
export function storeContract({ test, open }: StoreContractOptions): void {
  const check = (name: string, body: (store: Store) => Promise<void>) =>
    test(name, async () => {
      const store = await open();
      try {
        await body(store);
      } finally {
        await store.close();
      }
    });

  check('has a name and says what it supports', async (store) => {
    assert.notEqual(store.name, '');
    assert.equal(typeof store.supports.references, 'boolean');
    assert.equal(typeof store.supports.shared, 'boolean');
  });

  check('gives back the bytes it was given', async (store) => {
    for (const bytes of [Buffer.alloc(0), Buffer.from([0, 255]), Buffer.alloc(99_000, 7)]) {
      assert.equal(await store.set('one', 'key', entryOf(bytes)), true);
      assert.deepEqual(await bytesAt(store, 'one', 'key'), bytes);
    }
  });

  check('gives back the very object synchronously if it supports references', async (store) => {
    if (!store.supports.references) return;
    const entry = entryOf(Buffer.from('same'));
    await store.set('one', 'key', entry);
    assert.equal(store.get('one', 'key'), entry);
  });

  check('has nothing under a key that was never set', async (store) => {
    assert.equal(await store.get('one', 'key'), undefined);
    assert.equal(await store.delete('one', 'key'), false);
  });

  check(
    'keeps a copy that later writes to the given bytes do not reach, unless it supports references',
    async (store) => {
      if (store.supports.references) return;
      const bytes = Buffer.from('before');
      await store.set('one', 'key', entryOf(bytes));
      bytes.fill(0);
      assert.deepEqual(await bytesAt(store, 'one', 'key'), Buffer.from('before'));
    },
  );

  check('replaces an entry and counts it once', async (store) => {
    await store.set('one', 'key', entryOf(Buffer.alloc(5_000, 1)));
    await store.set('one', 'key', entryOf(Buffer.alloc(10, 2)));
    assert.deepEqual(await bytesAt(store, 'one', 'key'), Buffer.alloc(10, 2));
    assert.equal(store.usage().entries, 1);
    assert.ok(store.usage().bytes < 5_000);
  });

  check('keeps apart keys and namespaces that look alike', async (store) => {
    const alike: readonly (readonly [string, string])[] = [
      ['one', 'key'],
      ['one', 'KEY'],
      ['one', 'key '],
      ['one', ''],
      ['one', '\0'],
      ['one', '\x003:onekey'],
      ['one', '../../escape'],
      ['one', '/'],
      ['one', '\ud800'],
      ['one', '\ud801'],
      ['one', '\ufffd'],
      ['one', 'é'],
      ['one', 'e\u0301'],
      ['one', 'x'.repeat(20_000)],
      ['onek', 'ey'],
      ['on', 'ekey'],
      ['one:', 'key'],
      ['one', ':key'],
      ['two', 'key'],
      ['two', ''],
    ];
    for (const [index, [namespace, key]] of alike.entries()) {
      await store.set(namespace, key, entryOf(Buffer.from([index])));
    }
    for (const [index, [namespace, key]] of alike.entries()) {
      assert.deepEqual(await bytesAt(store, namespace, key), Buffer.from([index]), `${namespace} ${key.slice(0, 20)}`);
    }
    assert.equal(store.usage().entries, alike.length);
  });

  check('deletes one entry and says whether it was there', async (store) => {
    await store.set('one', 'a', entryOf(Buffer.from('a')));
    await store.set('one', 'b', entryOf(Buffer.from('b')));
    assert.equal(await store.delete('one', 'a'), true);
    assert.equal(await store.delete('one', 'a'), false);
    assert.equal(await store.get('one', 'a'), undefined);
    assert.deepEqual(await bytesAt(store, 'one', 'b'), Buffer.from('b'));
  });

  check('clears a namespace and leaves those alone whose names begin alike', async (store) => {
    for (const namespace of ['a', 'ab', 'b']) {
      for (const key of ['1', '2', 'b1']) await store.set(namespace, key, entryOf(Buffer.from(namespace)));
    }
    await store.clear('a');
    for (const key of ['1', '2', 'b1']) {
      assert.equal(await store.get('a', key), undefined);
      assert.deepEqual(await bytesAt(store, 'ab', key), Buffer.from('ab'));
      assert.deepEqual(await bytesAt(store, 'b', key), Buffer.from('b'));
    }
    assert.equal(store.usage().entries, 6);
    await store.clear('ab');
    await store.clear('b');
    await store.clear('never used');
    assert.deepEqual({ entries: store.usage().entries, bytes: store.usage().bytes }, { entries: 0, bytes: 0 });
  });

  check('refuses an entry that is too large and forgets the one it would have replaced', async (store) => {
    await store.set('one', 'key', entryOf(Buffer.from('small')));
    assert.equal(await store.set('one', 'key', entryOf(Buffer.alloc(101_000))), false);
    assert.equal(await store.get('one', 'key'), undefined);
    assert.equal(store.usage().bytes, 0);
  });

  check('takes any deadline: past, zero, fractional, beyond every calendar', async (store) => {
    for (const expiresAtMs of [-1, 0, 0.5, 1_700_000_000_000.7, 8.64e15, Number.MAX_VALUE, Infinity]) {
      assert.equal(await store.set('one', 'key', entryOf(Buffer.from('x'), expiresAtMs)), true);
    }
    assert.deepEqual(await bytesAt(store, 'one', 'key'), Buffer.from('x'));
  });

  check('holds its limit and evicts what was used longest ago', async (store) => {
    const { maxBytes } = store.usage();
    const count = Math.ceil(maxBytes / 90_000) + 3;
    for (let index = 0; index < count; index += 1) {
      await store.set('one', `key ${index}`, entryOf(Buffer.alloc(90_000, index)));
      assert.ok(store.usage().bytes <= maxBytes, `${store.usage().bytes} bytes, over ${maxBytes}`);
    }
    assert.ok(store.usage().evictions > 0);
    assert.equal(await store.get('one', 'key 0'), undefined);
    assert.deepEqual(await bytesAt(store, 'one', `key ${count - 1}`), Buffer.alloc(90_000, count - 1));
  });

  check('sets the same key concurrently and ends with one whole entry', async (store) => {
    const candidates = Array.from({ length: 20 }, (_, index) => Buffer.alloc(1_000 + index, index));
    await Promise.all(candidates.map((bytes) => store.set('one', 'key', entryOf(bytes))));
    const bytes = await bytesAt(store, 'one', 'key');
    assert.ok(candidates.some((candidate) => bytes?.equals(candidate)));
    assert.equal(store.usage().entries, 1);
  });

  check('finishes or refuses calls that close overtakes, closes twice, and refuses every call after', async (store) => {
    const overtaken = Promise.allSettled([store.set('one', 'key', entryOf(Buffer.from('x'))), store.get('one', 'key')]);
    await store.close();
    await overtaken;
    await store.close();
    for (const call of [
      () => store.get('one', 'key'),
      () => store.set('one', 'key', entryOf(Buffer.from('x'))),
      () => store.delete('one', 'key'),
      () => store.clear('one'),
    ]) {
      await assert.rejects(async () => call());
    }
  });
}

export interface FaultyStore extends Store {
  /** How many calls failed because they were told to. */
  readonly faults: number;
}

export interface FaultyStoreOptions {
  /** The error with which this call, the nth of its operation counted from 1, is to fail; undefined = let it pass. */
  readonly fault: (operation: Exclude<StoreOperation, 'open'>, call: number) => Error | undefined;
}

/** A store that passes calls on to another one, except those that `fault` chooses to fail. */
export function faultyStore(store: Store, { fault }: FaultyStoreOptions): FaultyStore {
  const calls = { get: 0, set: 0, delete: 0, clear: 0, close: 0 };
  let faults = 0;
  const check = (operation: keyof typeof calls) => {
    calls[operation] += 1;
    const error = fault(operation, calls[operation]);
    if (error === undefined) return;
    faults += 1;
    throw error;
  };
  return {
    name: store.name,
    supports: store.supports,
    get faults() {
      return faults;
    },
    get(namespace, key) {
      check('get');
      return store.get(namespace, key);
    },
    set(namespace, key, entry) {
      check('set');
      return store.set(namespace, key, entry);
    },
    delete(namespace, key) {
      check('delete');
      return store.delete(namespace, key);
    },
    clear(namespace) {
      check('clear');
      return store.clear(namespace);
    },
    usage: () => store.usage(),
    close() {
      check('close');
      return store.close();
    },
  };
}

function entryOf(bytes: Uint8Array, expiresAtMs = Infinity): StoredEntry {
  return { bytes, expiresAtMs };
}

async function bytesAt(store: Store, namespace: string, key: string): Promise<Buffer | undefined> {
  const entry = await store.get(namespace, key);
  return entry === undefined ? undefined : Buffer.from(entry.bytes);
}
