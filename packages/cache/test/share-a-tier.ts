/** What processes promise each other that share a tier, whichever tier it is. Needs the built package. */
import { expect, test } from 'vitest';
import { type Child, startChild } from './child.ts';

export interface SharedTier {
  readonly kind: 'disk' | 'redis';
  /** A new, empty place, and what ends it. */
  open(): Promise<{ readonly where: string; close(): Promise<void> }>;
}

const isSoak = process.env.CADRE_SOAK === '1';
const rounds = isSoak ? 50 : 3;
const timeoutMs = isSoak ? 300_000 : 30_000;

export function testsOfSharing({ kind, open }: SharedTier): void {
  // With `leaseMs: 0`, each of 50 keys was computed by two to four of the processes.
  test('computes each key once in four processes, tags included', async () => {
    await withChildren(4, 30_000, async (children) => {
      for (const child of children) child.tell('all 50');
      const reports = await Promise.all(children.map((child) => child.next()));
      const computed = reports.flatMap((report) => report.computed as number[]);
      expect(computed.toSorted((left, right) => left - right)).toEqual(Array.from({ length: 50 }, (_, index) => index));
      const [first, ...others] = reports.map((report) => report.values);
      for (const values of others) expect(values).toEqual(first);
    });
  });

  test(`lets another process compute when the holder is killed, ${rounds} times`, { timeout: timeoutMs }, async () => {
    let kills = 0;
    for (let round = 0; round < rounds; round += 1) {
      await withChildren(2, 400, async ([holder, waiter]) => {
        holder?.tell('slow key');
        expect(await holder?.next()).toEqual({ computing: holder?.process.pid });
        waiter?.tell('quick key');
        holder?.process.kill('SIGKILL');
        await holder?.exited;
        kills += 1;
        expect(await waiter?.next()).toMatchObject({ value: `by ${waiter?.process.pid}`, computedElsewhere: 0 });
      });
    }
    expect(kills).toBe(rounds);
  });

  // With a store that wrote without a look at the lease, the older result took the newer one's place.
  test(`refuses the result of a holder that was stopped until its lease was over, ${rounds} times`, {
    timeout: timeoutMs,
  }, async () => {
    let refusals = 0;
    for (let round = 0; round < rounds; round += 1) {
      await withChildren(3, 300, async ([stopped, second, reader]) => {
        stopped?.tell('slow key');
        await stopped?.next();
        stopped?.process.kill('SIGSTOP');
        second?.tell('quick key');
        const newer = `by ${second?.process.pid}`;
        expect(await second?.next()).toMatchObject({ value: newer });
        stopped?.process.kill('SIGCONT');
        stopped?.tell('finish');
        expect(await stopped?.next()).toMatchObject({ value: `by ${stopped?.process.pid}`, refused: 1 });
        refusals += 1;
        reader?.tell('quick key');
        expect(await reader?.next()).toMatchObject({ value: newer });
      });
    }
    expect(refusals).toBe(rounds);
  });

  test('goes on holding the lease of a computation that takes several times its length', async () => {
    await withChildren(2, 200, async ([holder, waiter]) => {
      holder?.tell('slow key');
      await holder?.next();
      waiter?.tell('quick key');
      await new Promise((resolve) => setTimeout(resolve, 800));
      holder?.tell('finish');
      const value = `by ${holder?.process.pid}`;
      expect(await holder?.next()).toMatchObject({ value, refused: 0 });
      expect(await waiter?.next()).toMatchObject({ value, computedElsewhere: 1 });
    });
  });

  async function withChildren(
    count: number,
    leaseMs: number,
    body: (children: readonly Child[]) => Promise<void>,
  ): Promise<void> {
    const place = await open();
    const children = Array.from({ length: count }, () =>
      startChild('./compute-keys.mjs', [kind, place.where, `${leaseMs}`]),
    );
    try {
      for (const child of children) await child.next();
      await body(children);
    } finally {
      for (const child of children) child.process.kill('SIGKILL');
      await Promise.all(children.map((child) => child.exited));
      await place.close();
    }
  }
}
