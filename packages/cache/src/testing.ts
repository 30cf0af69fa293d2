/**
 * For those who write a store: the suite that every store passes, ours included, and a store that fails on demand.
 * It asks nothing of the test runner but a function `test(name, body)`.
 */
import assert from 'node:assert/strict';
import type { StoreOperation } from './errors.ts';
import type { Lease, LeaseSource, MaybePromise, Store, StoredEntry, StoreUsage } from './store.ts';

export interface StoreContractOptions {
  /** The runner's own: `test` of vitest or of node:test. */
  readonly test: (name: string, body: () => Promise<void>) => unknown;
  /**
   * A new, empty store that takes entries of 100,000 bytes and refuses those of 101,000; with room for at least a
   * megabyte, if it counts what it holds.
   */
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
    for (const support of ['references', 'shared', 'remote', 'counts'] as const) {
      assert.equal(typeof store.supports[support], 'boolean', support);
    }
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
    const usage = countedUsage(store);
    assert.equal(usage?.entries ?? 1, 1);
    assert.ok((usage?.bytes ?? 0) < 5_000);
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
    assert.equal(countedUsage(store)?.entries ?? alike.length, alike.length);
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
    assert.equal(countedUsage(store)?.entries ?? 6, 6);
    await store.clear('ab');
    await store.clear('b');
    await store.clear('never used');
    for (const namespace of ['a', 'ab', 'b']) assert.equal(await store.get(namespace, '1'), undefined);
    const { entries, bytes } = store.usage();
    assert.deepEqual({ entries, bytes }, { entries: 0, bytes: 0 });
  });

  check('refuses an entry that is too large and forgets the one it would have replaced', async (store) => {
    await store.set('one', 'key', entryOf(Buffer.from('small')));
    assert.equal(await store.set('one', 'key', entryOf(Buffer.alloc(101_000))), false);
    assert.equal(await store.get('one', 'key'), undefined);
    assert.equal(countedUsage(store)?.bytes ?? 0, 0);
  });

  check('takes any deadline: past, zero, fractional, beyond every calendar', async (store) => {
    for (const expiresAtMs of [-1, 0, 0.5, 1_700_000_000_000.7, 8.64e15, Number.MAX_VALUE, Infinity]) {
      assert.equal(await store.set('one', 'key', entryOf(Buffer.from('x'), expiresAtMs)), true);
    }
    assert.deepEqual(await bytesAt(store, 'one', 'key'), Buffer.from('x'));
  });

  check('holds its limit and evicts what was used longest ago, if it counts', async (store) => {
    if (!store.supports.counts) return;
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
    assert.equal(countedUsage(store)?.entries ?? 1, 1);
  });

  check('lists every entry of a namespace and of no other', async (store) => {
    const wanted = Array.from({ length: 300 }, (_, index) => Buffer.from(`entry ${index}`));
    for (const [index, bytes] of wanted.entries()) await store.set('one', `key ${index}`, entryOf(bytes));
    await store.set('on', 'e', entryOf(Buffer.from('not asked for')));
    await store.set('one\0tags', 'key', entryOf(Buffer.from('not asked for')));
    const listed: string[] = [];
    for await (const { bytes } of store.scan('one')) listed.push(Buffer.from(bytes).toString());
    assert.deepEqual([...new Set(listed)].sort(), wanted.map(String).sort());
    for await (const _ of store.scan('never used')) assert.fail('listed what was never set');
  });

  checkLeases(check);

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
      () => store.scan('one')[Symbol.asyncIterator]().next(),
      () => store.leases?.acquire('one', 'key', 1_000) ?? Promise.reject(new Error('gives no leases')),
    ]) {
      await assert.rejects(async () => call());
    }
  });
}

export interface FaultyStore extends Store {
  /** How many calls failed or waited because they were told to. */
  readonly faults: number;
}

/** What a fault can be given for; `'lease'` is acquiring, renewing, committing and releasing one. */
export type FaultyOperation = Exclude<StoreOperation, 'open'>;

export interface FaultyStoreOptions {
  /**
   * The error with which this call, the nth of its operation counted from 1, is to fail; undefined = let it pass. A
   * promise makes it slow: the call waits for it, and then fails or passes.
   */
  readonly fault: (operation: FaultyOperation, call: number) => MaybePromise<Error | undefined>;
  /** As if the store were one. @default what the store says */
  readonly remote?: boolean;
}

/** A store that passes calls on to another one, except those that `fault` chooses to fail or to hold up. */
export function faultyStore(store: Store, { fault, remote }: FaultyStoreOptions): FaultyStore {
  const calls = { get: 0, set: 0, delete: 0, clear: 0, scan: 0, lease: 0, close: 0 };
  let faults = 0;
  const pass = <T>(operation: FaultyOperation, call: () => MaybePromise<T>): MaybePromise<T> => {
    calls[operation] += 1;
    const outcome = fault(operation, calls[operation]);
    if (outcome === undefined) return call();
    faults += 1;
    if (outcome instanceof Error) throw outcome;
    return outcome.then((error) => {
      if (error !== undefined) throw error;
      return call();
    });
  };
  const faultyLease = (lease: Lease): Lease => ({
    renew: () => pass('lease', () => lease.renew()),
    commit: (entry) => pass('set', () => pass('lease', () => lease.commit(entry))),
    release: () => pass('lease', () => lease.release()),
  });
  const { leases } = store;
  const faultyLeases: LeaseSource | undefined = leases && {
    acquire: (namespace, key, ttlMs) =>
      pass('lease', async () => {
        const lease = await leases.acquire(namespace, key, ttlMs);
        return lease && faultyLease(lease);
      }),
  };
  return {
    name: store.name,
    supports: { ...store.supports, remote: remote ?? store.supports.remote },
    leases: faultyLeases,
    get faults() {
      return faults;
    },
    get: (namespace, key) => pass('get', () => store.get(namespace, key)),
    set: (namespace, key, entry) => pass('set', () => store.set(namespace, key, entry)),
    delete: (namespace, key) => pass('delete', () => store.delete(namespace, key)),
    clear: (namespace) => pass('clear', () => store.clear(namespace)),
    async *scan(namespace) {
      await pass('scan', () => undefined);
      yield* store.scan(namespace);
    },
    usage: () => store.usage(),
    close: () => pass('close', () => store.close()),
  };
}

type Check = (name: string, body: (store: Store) => Promise<void>) => unknown;

function checkLeases(check: Check): void {
  const checkIfGiven = (name: string, body: (store: Store, leases: LeaseSource) => Promise<void>) =>
    check(`${name}, if it gives leases`, async (store) => {
      if (store.leases !== undefined) await body(store, store.leases);
    });

  checkIfGiven('gives a lease to one holder at a time, and to the next once it is released', async (_store, leases) => {
    const racing = await Promise.all(Array.from({ length: 20 }, () => leases.acquire('one', 'key', 60_000)));
    const [lease, ...others] = racing.filter((each) => each !== undefined);
    assert.ok(lease !== undefined && others.length === 0);
    assert.ok(await leases.acquire('one', 'another key', 60_000));
    assert.ok(await leases.acquire('on', 'ekey', 60_000));
    assert.equal(await lease.renew(), true);
    await lease.release();
    await lease.release();
    assert.ok(await leases.acquire('one', 'key', 60_000));
  });

  checkIfGiven('stores what a holder commits and gives the lease on', async (store, leases) => {
    const lease = await acquired(leases, 60_000);
    assert.equal(await lease.commit(entryOf(Buffer.from('result'))), 'stored');
    assert.deepEqual(await bytesAt(store, 'one', 'key'), Buffer.from('result'));
    assert.equal(await lease.renew(), false);
    assert.equal(await lease.commit(entryOf(Buffer.from('again'))), 'lost');
    const next = await acquired(leases, 60_000);
    assert.equal(await next.commit(entryOf(Buffer.alloc(101_000))), 'too-large');
    assert.ok(await leases.acquire('one', 'key', 60_000));
  });

  checkIfGiven('refuses what a holder commits whose time is up', async (store, leases) => {
    const late = await acquired(leases, 1);
    const next = await acquired(leases, 60_000);
    assert.equal(await late.commit(entryOf(Buffer.from('late'))), 'lost');
    assert.equal(await late.renew(), false);
    await late.release();
    assert.equal(await leases.acquire('one', 'key', 60_000), undefined);
    assert.equal(await next.commit(entryOf(Buffer.from('newer'))), 'stored');
    assert.equal(await late.commit(entryOf(Buffer.from('later still'))), 'lost');
    assert.deepEqual(await bytesAt(store, 'one', 'key'), Buffer.from('newer'));
  });

  checkIfGiven('ends the lease of what is set, deleted or cleared', async (store, leases) => {
    for (const overtake of [
      () => store.set('one', 'key', entryOf(Buffer.from('set'))),
      () => store.delete('one', 'key'),
      () => store.clear('one'),
    ]) {
      const lease = await acquired(leases, 60_000);
      await overtake();
      assert.equal(await lease.commit(entryOf(Buffer.from('overtaken'))), 'lost');
      assert.notDeepEqual(await bytesAt(store, 'one', 'key'), Buffer.from('overtaken'));
    }
  });
}

/** The lease of a key, once it is free. */
async function acquired(leases: LeaseSource, ttlMs: number): Promise<Lease> {
  for (;;) {
    const lease = await leases.acquire('one', 'key', ttlMs);
    if (lease !== undefined) return lease;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function countedUsage(store: Store): StoreUsage | undefined {
  return store.supports.counts ? store.usage() : undefined;
}

function entryOf(bytes: Uint8Array, expiresAtMs = Infinity): StoredEntry {
  return { bytes, expiresAtMs };
}

async function bytesAt(store: Store, namespace: string, key: string): Promise<Buffer | undefined> {
  const entry = await store.get(namespace, key);
  return entry === undefined ? undefined : Buffer.from(entry.bytes);
}
