/**
 * A case under load: requests come at a fixed rate, however long the answers take, and what is reported is how long they
 * took from the moment they were due. Where the rate was not held there is no figure.
 */
import { evenArrivals, realPause, sendArrivals } from '../arrivals.ts';
import type { CaseContext, CaseHead } from '../case.ts';
import { BenchError } from '../errors.ts';
import { DurationHistogram, type HistogramCounts } from '../histogram.ts';
import { type NanosecondClock, processClock } from '../measure.ts';

/** A variant that is ready to be asked. */
export interface PreparedLoad<Result> {
  /** One request; what it returns is awaited. A request that throws or rejects fails the case. */
  request(index: number): unknown;
  /** A summary, as plain JSON, of all requests so far: it differs when the work does. Called once, at the end. */
  summarise(): Result | Promise<Result>;
  close?(): void | Promise<void>;
}

export type LoadVariant<Result> = (
  context: CaseContext,
) => PreparedLoad<NoInfer<Result>> | Promise<PreparedLoad<NoInfer<Result>>>;

export interface LoadCase<Result = unknown> extends CaseHead {
  readonly kind: 'load';
  readonly ratePerSecond: number;
  /** Sent at the same rate before, and left out of the figures. @default 500 */
  readonly warmupMs?: number;
  /** @default 2000 */
  readonly durationMs?: number;
  /** Throws unless `result` is exactly what `requests` requests must give. */
  validate(result: Result, requests: number): void;
  readonly variants: Readonly<Record<string, LoadVariant<Result>>>;
}

/** What one process measured. */
export interface LoadRound {
  readonly result: unknown;
  readonly requests: number;
  readonly achievedPerSecond: number;
  readonly latency: Readonly<Record<LatencyFigure, number>>;
  readonly histogram: HistogramCounts;
}

export const latencyFigures = { p50: 0.5, p95: 0.95, p99: 0.99, p999: 0.999, max: 1 } as const;

export type LatencyFigure = keyof typeof latencyFigures;

/**
 * The rate counts as held while half of the requests start no later than this. Who falls behind falls behind ever more: a
 * hundredth of the rate that is missing for 2 s makes the median 10 ms, and one hiccup leaves it where it is.
 */
const heldWithinNs = 1e6;

export interface LoadOptions {
  readonly clock: NanosecondClock;
  readonly pause: typeof realPause;
}

/** Returns the definition as it is, with its kind; for its types. */
export function defineLoad<Result>(definition: Omit<LoadCase<Result>, 'kind'>): LoadCase<Result> {
  return { ...definition, kind: 'load' };
}

/**
 * Sends the warm-up and then the measured requests.
 * @throws {BenchError} BENCH_RATE_NOT_HELD when the generator alone, or with the variant in the same event loop, could
 * not send at the rate; the message says which
 */
export async function measureLoad<Result>(
  definition: LoadCase<Result>,
  prepared: PreparedLoad<Result>,
  options: LoadOptions = { clock: processClock, pause: realPause },
): Promise<LoadRound> {
  const { ratePerSecond, warmupMs = 500, durationMs = 2000 } = definition;
  await assertGeneratorHolds(ratePerSecond, options);
  const warm = await send(evenArrivals({ from: ratePerSecond, to: ratePerSecond }, warmupMs), prepared, 0, options);
  globalThis.gc?.();
  const schedule = evenArrivals({ from: ratePerSecond, to: ratePerSecond }, durationMs);
  const measured = await send(schedule, prepared, warm.started, options);
  const achievedPerSecond = rateOf(measured);
  if (!isHeld(measured)) {
    throw new BenchError(
      'BENCH_RATE_NOT_HELD',
      `Only ${Math.round(achievedPerSecond)} of ${ratePerSecond} requests a second could be started, half of them ` +
        `${formatMs(measured.lateness.quantile(0.5))} late or more: the variant holds up the event loop it is asked in. ` +
        'Lower ratePerSecond to what it can take.',
    );
  }
  const requests = warm.started + measured.started;
  const result = await prepared.summarise();
  definition.validate(result, requests);
  const { latencies } = measured;
  const latency = Object.fromEntries(
    Object.entries(latencyFigures).map(([figure, share]) => [figure, latencies.quantile(share)]),
  ) as Record<LatencyFigure, number>;
  return { result, requests, achievedPerSecond, latency, histogram: latencies.toCounts() };
}

async function assertGeneratorHolds(ratePerSecond: number, options: LoadOptions): Promise<void> {
  const idle = { request: () => undefined, summarise: () => undefined };
  const alone = await send(evenArrivals({ from: ratePerSecond, to: ratePerSecond }, 100), idle, 0, options);
  if (isHeld(alone)) return;
  throw new BenchError(
    'BENCH_RATE_NOT_HELD',
    `The generator itself fell behind: asking nothing, it started ${Math.round(rateOf(alone))} of ${ratePerSecond} ` +
      `requests a second, half of them ${formatMs(alone.lateness.quantile(0.5))} late or more. ` +
      'Lower ratePerSecond, or measure on a quieter machine.',
  );
}

interface Sent {
  readonly started: number;
  readonly startedWithinNs: number;
  readonly lateness: DurationHistogram;
  readonly latencies: DurationHistogram;
}

async function send<Result>(
  schedule: Iterable<number>,
  prepared: PreparedLoad<Result>,
  firstIndex: number,
  { clock, pause }: LoadOptions,
): Promise<Sent> {
  const latencies = new DurationHistogram();
  const failures: unknown[] = [];
  const arrivals = await sendArrivals(schedule, (index) => prepared.request(firstIndex + index), {
    clock,
    pause,
    maxInFlight: 100_000,
    drainMs: 10_000,
    onSettled(_index, _intended, latency, failure) {
      if (failure === undefined) latencies.add(latency);
      else failures.push(failure.error);
    },
  });
  if (failures.length > 0) {
    throw new Error(`${failures.length} of ${arrivals.started} requests failed; the first:`, { cause: failures[0] });
  }
  return { ...arrivals, latencies };
}

function isHeld({ started, lateness }: Sent): boolean {
  return started === 0 || lateness.quantile(0.5) <= heldWithinNs;
}

function rateOf({ started, startedWithinNs }: Sent): number {
  return startedWithinNs > 0 ? ((started - 1) / startedWithinNs) * 1e9 : 0;
}

function formatMs(nanoseconds: number): string {
  return `${(nanoseconds / 1e6).toFixed(1)} ms`;
}
