/**
 * How many bytes an item keeps. Each size is filled in a fresh process, garbage is collected before and after, and the
 * slope over the sizes is the cost of one more item: what the library takes for itself is in the intercept.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { CaseContext, CaseHead } from '../case.ts';
import { BenchError } from '../errors.ts';
import { fitLine, type Line } from '../regression.ts';

/** A variant that is ready to be filled. */
export interface PreparedMemory<Result> {
  /** Takes up `items` items and keeps them. Called once. */
  fill(items: number): void | Promise<void>;
  /** A summary, as plain JSON, of what is kept, looked up after the memory was measured. */
  summarise(): Result | Promise<Result>;
  close?(): void | Promise<void>;
}

export type MemoryVariant<Result> = (
  context: CaseContext,
) => PreparedMemory<NoInfer<Result>> | Promise<PreparedMemory<NoInfer<Result>>>;

export interface MemoryCase<Result = unknown> extends CaseHead {
  readonly kind: 'memory';
  /** Numbers of items, at least three, each filled in processes of its own. */
  readonly sizes: readonly number[];
  /** Throws unless `result` is exactly what `items` items must give. */
  validate(result: Result, items: number): void;
  readonly variants: Readonly<Record<string, MemoryVariant<Result>>>;
}

/** What one process kept after `items` items, over what it kept before them. */
export interface MemoryPoint {
  readonly items: number;
  /** On V8's heap. */
  readonly heapBytes: number;
  /** Outside of it but owned by it: buffers and what native code told V8 of. */
  readonly externalBytes: number;
  /** The part of `externalBytes` that is in array buffers. */
  readonly arrayBufferBytes: number;
}

/** Returns the definition as it is, with its kind; for its types. */
export function defineMemory<Result>(definition: Omit<MemoryCase<Result>, 'kind'>): MemoryCase<Result> {
  return { ...definition, kind: 'memory' };
}

/** Only in a process that was started with `--expose-gc`. */
export async function measureMemory<Result>(
  definition: MemoryCase<Result>,
  prepared: PreparedMemory<Result>,
  items: number,
): Promise<MemoryPoint & { readonly result: unknown }> {
  const before = await settledMemory();
  await prepared.fill(items);
  const after = await settledMemory();
  const result = await prepared.summarise();
  definition.validate(result, items);
  return {
    items,
    heapBytes: after.heapUsed - before.heapUsed,
    externalBytes: after.external - before.external,
    arrayBufferBytes: after.arrayBuffers - before.arrayBuffers,
    result,
  };
}

/** The line through heap and external bytes over items: its slope is the bytes of one item. */
export function fitMemory(points: readonly MemoryPoint[]): Line {
  return fitLine(points.map(({ items, heapBytes, externalBytes }) => ({ x: items, y: heapBytes + externalBytes })));
}

/** Collects until nothing more is found; the event loop turns between, so that finalisers have run. */
export async function settledMemory(): Promise<NodeJS.MemoryUsage> {
  const { gc } = globalThis;
  if (gc === undefined) {
    throw new BenchError('BENCH_WORKER_FAILED', 'Memory is measured in a process started with --expose-gc.');
  }
  let usage = process.memoryUsage();
  for (let collections = 0; collections < 12; collections += 1) {
    await turn();
    gc();
    const { heapUsed, external } = usage;
    usage = process.memoryUsage();
    if (collections > 2 && heapUsed + external - usage.heapUsed - usage.external < 256) break;
  }
  return usage;
}
