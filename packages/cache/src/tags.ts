/**
 * Deleting by tag without looking for what carries it. Each tag has a *generation*, a random name that lies in the
 * tiers as an entry of its own; an entry is sealed with the generations its tags had when its computation began, and
 * counts for nothing unless they are still the same. To delete a tag is to delete its generation: whoever writes next
 * makes a new one. A generation that was lost, evicted or damaged therefore costs entries and never brings one back.
 *
 * The farthest shared tier that can be asked decides, so that a deletion in one process is seen by all that share it.
 */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Entry, type TagMark } from './entry.ts';
import { StoreUnavailableError } from './errors.ts';
import { takeLease } from './lease.ts';
import type { MaybePromise } from './store.ts';
import type { ReadContext, Tier } from './tier.ts';
import { encodeValue } from './value.ts';

export interface Tags {
  /** The generations as they are now, made where a tag has none. */
  claim(tags: readonly string[]): Promise<readonly TagMark[]>;
  areCurrent(marks: readonly TagMark[], context: ReadContext): MaybePromise<boolean>;
  /** As far as this process knows, without asking anyone. */
  areKnown(marks: readonly TagMark[]): boolean;
  /** @throws {StoreUnavailableError} when a tier could not be told; the others have been */
  invalidate(tag: string): Promise<void>;
}

export interface TagsOptions {
  /** Of the generations, in which nothing else lies. */
  readonly namespace: string;
  /** Nearest first. */
  readonly tiers: readonly Tier[];
  readonly now: () => number;
  /** For so long a generation that was looked up is not looked up again. */
  readonly checkMs: number;
  readonly leaseMs: number;
}

const maxKnownTags = 10_000;

export function createTags({ namespace, tiers, now, checkMs, leaseMs }: TagsOptions): Tags {
  const shared = tiers.filter(({ store }) => store.supports.shared).reverse();
  const leasable = shared.filter(({ store }) => leaseMs > 0 && store.leases !== undefined);
  const known = new LRUCache<string, { readonly generation: string; readonly checkedAtMs: number }>({
    max: maxKnownTags,
  });
  const inTheMaking = new Map<string, Promise<string>>();
  /** Told apart, so that an answer from before a deletion is not remembered after it. */
  let deletions = 0;

  return {
    claim: (tags) => Promise.all([...new Set(tags)].map(async (tag): Promise<TagMark> => [tag, await claim(tag)])),
    areCurrent(marks, context) {
      const waiting: Promise<boolean>[] = [];
      for (const [tag, generation] of marks) {
        const current = currentGeneration(tag, context);
        if (current instanceof Promise) waiting.push(current.then((settled) => settled === generation));
        else if (current !== generation) return false;
      }
      return waiting.length === 0 ? true : Promise.all(waiting).then((verdicts) => !verdicts.includes(false));
    },
    areKnown: (marks) => marks.every(([tag, generation]) => known.get(tag)?.generation === generation),
    async invalidate(tag) {
      deletions += 1;
      known.delete(tag);
      inTheMaking.delete(tag);
      const deleted = await Promise.all(shared.map((tier) => tier.delete(namespace, tag)));
      known.delete(tag);
      const failure = deleted.find((outcome) => outcome instanceof StoreUnavailableError);
      if (failure !== undefined) throw failure;
    },
  };

  function currentGeneration(tag: string, context: ReadContext): MaybePromise<string | undefined> {
    const before = known.get(tag);
    if (shared.length === 0) return before?.generation;
    if (before !== undefined && Math.abs(now() - before.checkedAtMs) < checkMs) return before.generation;
    return askFrom(0, tag, context);
  }

  function askFrom(index: number, tag: string, context: ReadContext): MaybePromise<string | undefined> {
    const tier = shared[index];
    // Nobody can be asked: what this process knows is the best there is.
    if (tier === undefined) return known.get(tag)?.generation;
    const deletionsBefore = deletions;
    const asking: ReadContext = { ...context, counted: false, unavailable: false };
    const settle = (found: Entry | undefined): MaybePromise<string | undefined> => {
      context.remoteUntilMs ??= asking.remoteUntilMs;
      if (asking.unavailable) return askFrom(index + 1, tag, context);
      const generation = found === undefined ? undefined : String(found.value());
      if (generation === undefined) known.delete(tag);
      else if (deletions === deletionsBefore) known.set(tag, { generation, checkedAtMs: now() });
      return generation;
    };
    const found = tier.read(namespace, tag, asking);
    return found instanceof Promise ? found.then(settle) : settle(found);
  }

  async function claim(tag: string): Promise<string> {
    const current = await currentGeneration(tag, newContext());
    if (current !== undefined) return current;
    const making = inTheMaking.get(tag) ?? make(tag);
    inTheMaking.set(tag, making);
    try {
      return await making;
    } finally {
      if (inTheMaking.get(tag) === making) inTheMaking.delete(tag);
    }
  }

  /** Under a lease, or two processes that meet a new tag would each make one, and the entries of one would be lost. */
  async function make(tag: string): Promise<string> {
    const generation = randomBytes(12).toString('base64url');
    const outcome = await takeLease({
      tiers: leasable,
      namespace,
      key: tag,
      ttlMs: leaseMs,
      look: () => (shared.length === 0 ? undefined : askFrom(0, tag, newContext())),
      whenHeld: 'wait',
    });
    if (outcome.type === 'found') return outcome.found;
    const times = { createdAtMs: now(), freshUntilMs: Infinity, expiresAtMs: Infinity };
    const entry = new Entry(tag, times, encodeValue(generation));
    const held = outcome.type === 'held' ? outcome.held : undefined;
    const deletionsBefore = deletions;
    const first = await held?.tier.write(namespace, tag, entry, held.lease);
    await held?.release();
    // Deleted, or made by somebody else, meanwhile: an entry with this generation will be a miss, as it should be.
    if (first === 'lost') return generation;
    await Promise.all(shared.filter((tier) => tier !== held?.tier).map((tier) => tier.write(namespace, tag, entry)));
    if (deletions === deletionsBefore) known.set(tag, { generation, checkedAtMs: now() });
    return generation;
  }
}

function newContext(): ReadContext {
  return {
    isUsable: () => true,
    isCurrent: () => false,
    counted: false,
    remoteUntilMs: undefined,
    unavailable: false,
  };
}
