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
    await withProcesses(30_000, async (start) => {
      const children = await Promise.all([start(), start(), start(), start()]);
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
    await withProcesses(400, async (start) => {
      const waiter = await start();
      for (let round = 0; round < rounds; round += 1) {
        const holder = await start();
        holder.tell(`slow key-${round}`);
        expect(await holder.next()).toEqual({ computing: holder.process.pid });
        waiter.tell(`quick key-${round}`);
        holder.process.kill('SIGKILL');
        await holder.exited;
        kills += 1;
        expect(await waiter.next()).toMatchObject({ value: `by ${waiter.process.pid}`, computedElsewhere: 0 });
      }
    });
    expect(kills).toBe(rounds);
  });

  // With a store that wrote without a look at the lease, the older result took the newer one's place.
  test(`refuses the result of a holder that was stopped until its lease was over, ${rounds} times`, {
    timeout: timeoutMs,
  }, async () => {
    let refusals = 0;
    await withProcesses(300, async (start) => {
      const [stopped, second, reader] = await Promise.all([start(), start(), start()]);
      for (let round = 0; round < rounds; round += 1) {
        stopped.tell(`slow key-${round}`);
        await stopped.next();
        stopped.process.kill('SIGSTOP');
        second.tell(`quick key-${round}`);
        const newer = `by ${second.process.pid}`;
        expect(await second.next()).toMatchObject({ value: newer });
        stopped.process.kill('SIGCONT');
        stopped.tell('finish');
        refusals += 1;
        expect(await stopped.next()).toMatchObject({ value: `by ${stopped.process.pid}`, refused: refusals });
        reader.tell(`quick key-${round}`);
        expect(await reader.next()).toMatchObject({ value: newer });
      }
    });
    expect(refusals).toBe(rounds);
  });

  // Never renewed, the lease went to the second process, and the first one's result was refused.
  test('goes on holding the lease of a computation that takes several times its length', async () => {
    await withProcesses(200, async (start) => {
      const [holder, waiter] = await Promise.all([start(), start()]);
      holder.tell('slow key');
      await holder.next();
      waiter.tell('quick key');
      // Of which each third of the lease's length brings one.
      holder.tell('renewals 12');
      expect(await holder.next()).toEqual({ renewals: 12 });
      holder.tell('finish');
      const value = `by ${holder.process.pid}`;
      expect(await holder.next()).toMatchObject({ value, refused: 0 });
      expect(await waiter.next()).toMatchObject({ value, computedElsewhere: 1 });
    });
  });

  /** Runs `body` with a place of its own; what it starts is ended with it. */
  async function withProcesses(leaseMs: number, body: (start: () => Promise<Child>) => Promise<void>): Promise<void> {
    const place = await open();
    const children: Child[] = [];
    try {
      await body(async () => {
        const child = startChild('./compute-keys.mjs', [kind, place.where, `${leaseMs}`]);
        children.push(child);
        await child.next();
        return child;
      });
    } finally {
      for (const child of children) child.process.kill('SIGKILL');
      await Promise.all(children.map((child) => child.exited));
      await place.close();
    }
  }
}
