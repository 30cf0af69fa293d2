/** What tests of buses wait for. */
import type { Bus } from '../src/bus.ts';
import type { BusStatus } from '../src/status.ts';
import type { Subscription } from '../src/subscription.ts';

/** A promise, and what resolves it. */
export function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** The data of the next `count` messages; leaves after that. */
export async function read<T>(subscription: Subscription<T>, count: number): Promise<T[]> {
  const seen: T[] = [];
  if (count === 0) return seen;
  for await (const { data } of subscription) {
    seen.push(data);
    if (seen.length === count) break;
  }
  return seen;
}

export async function nextStatus(bus: Bus): Promise<BusStatus> {
  const { value } = await bus.status().next();
  if (value === undefined) throw new Error('the status ended');
  return value;
}
