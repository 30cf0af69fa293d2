/**
 * Whether work that should leave nothing behind does. After a warm-up the same cycles are done again and again; the
 * heap, the resident memory and the open descriptors are taken down after each group of them, and what counts is the
 * slope, not the difference of two moments.
 */
import { readdirSync } from 'node:fs';
import type { CaseContext, CaseHead } from '../case.ts';
import { fitLine } from '../regression.ts';
import type { Interval } from '../stats.ts';
import { settledMemory } from './memory.ts';

/** A variant that is ready to do cycles. */
export interface PreparedLeak<Result> {
  /** Does something and undoes it. */
  cycle(): unknown;
  /** A summary, as plain JSON, of all cycles so far: it differs when the work does. */
  summarise(): Result | Promise<Result>;
  close?(): void | Promise<void>;
}

export type LeakVariant<Result> = (
  context: CaseContext,
) => PreparedLeak<NoInfer<Result>> | Promise<PreparedLeak<NoInfer<Result>>>;

export interface LeakCase<Result = unknown> extends CaseHead {
  readonly kind: 'leak';
  /** Cycles between two samples. @default 1000 */
  readonly cyclesPerSample?: number;
  /** Samples that are judged; at least 10. @default 30 */
  readonly samples?: number;
  /** Samples before them, for caches to fill and code to be compiled. @default 10 */
  readonly warmupSamples?: number;
  /** What a cycle may keep and not be called a leak, on the heap and in buffers. @default 8 */
  readonly toleratedBytesPerCycle?: number;
  /** Throws unless `result` is exactly what `cycles` cycles must give. */
  validate(result: Result, cycles: number): void;
  readonly variants: Readonly<Record<string, LeakVariant<Result>>>;
}

export type LeakVerdict = 'leak' | 'no leak' | 'inconclusive';

/** What one process held after each sample. */
export interface LeakSeries {
  readonly cyclesPerSample: number;
  /** Heap and what it owns outside. */
  readonly heapBytes: readonly number[];
  readonly residentBytes: readonly number[];
  /** Empty where the system does not tell (`/proc/self/fd`). */
  readonly descriptors: readonly number[];
}

/** Growth for each cycle, and what it means. */
export interface LeakJudgement {
  readonly verdict: LeakVerdict;
  /** In a sentence: what grows, or why nothing can be said. */
  readonly reason: string;
  readonly heapBytesPerCycle: Interval;
  readonly residentBytesPerCycle: Interval;
  readonly descriptorsPerCycle?: Interval;
}

/** Of a sample: resident memory comes in pages and arenas, so less growth than this may be the allocator's. */
const toleratedResidentBytesPerSample = 128 * 1024;
/** Of a sample: half a descriptor, since they are counted whole. */
const toleratedDescriptorsPerSample = 0.5;

/** Returns the definition as it is, with its kind; for its types. */
export function defineLeak<Result>(definition: Omit<LeakCase<Result>, 'kind'>): LeakCase<Result> {
  return { ...definition, kind: 'leak' };
}

/** Only in a process that was started with `--expose-gc`. */
export async function measureLeak<Result>(
  definition: LeakCase<Result>,
  prepared: PreparedLeak<Result>,
): Promise<LeakSeries & { readonly result: unknown }> {
  const { cyclesPerSample = 1000, samples = 30, warmupSamples = 10 } = definition;
  if (samples < 10) throw new RangeError(`samples must be at least 10, not ${samples}.`);
  // Room for what is taken down is made beforehand: it must not look like growth.
  const [heapBytes, residentBytes, descriptors] = [
    new Float64Array(samples),
    new Float64Array(samples),
    new Float64Array(samples),
  ];
  let descriptorsKnown = true;
  for (let sample = -warmupSamples; sample < samples; sample += 1) {
    for (let cycle = 0; cycle < cyclesPerSample; cycle += 1) {
      const done = prepared.cycle();
      if (done instanceof Promise) await done;
    }
    const { heapUsed, external, rss } = await settledMemory();
    const open = countDescriptors();
    if (sample < 0) continue;
    heapBytes[sample] = heapUsed + external;
    residentBytes[sample] = rss;
    if (open === undefined) descriptorsKnown = false;
    else descriptors[sample] = open;
  }
  const result = await prepared.summarise();
  definition.validate(result, (warmupSamples + samples) * cyclesPerSample);
  return {
    result,
    cyclesPerSample,
    heapBytes: [...heapBytes],
    residentBytes: [...residentBytes],
    descriptors: descriptorsKnown ? [...descriptors] : [],
  };
}

/**
 * `leak` when something surely grows by more than is tolerated, `no leak` when all of it surely grows by less. Resident
 * memory counts only where it grows while the heap does not, and only for a leak: that it shrinks proves nothing.
 */
export function judgeLeak(series: LeakSeries, toleratedBytesPerCycle = 8): LeakJudgement {
  const { cyclesPerSample } = series;
  const heapBytesPerCycle = slopePerCycle(series.heapBytes, cyclesPerSample);
  const residentBytesPerCycle = slopePerCycle(series.residentBytes, cyclesPerSample);
  const descriptorsPerCycle =
    series.descriptors.length === 0 ? undefined : slopePerCycle(series.descriptors, cyclesPerSample);
  const slopes = {
    heapBytesPerCycle,
    residentBytesPerCycle,
    ...(descriptorsPerCycle === undefined ? {} : { descriptorsPerCycle }),
  };
  const toleratedDescriptors = toleratedDescriptorsPerSample / cyclesPerSample;
  const toleratedResident = toleratedResidentBytesPerSample / cyclesPerSample;
  if (descriptorsPerCycle !== undefined && descriptorsPerCycle.low > toleratedDescriptors) {
    return { verdict: 'leak', reason: `${perCycle(descriptorsPerCycle)} descriptors a cycle stay open.`, ...slopes };
  }
  if (heapBytesPerCycle.low > toleratedBytesPerCycle) {
    return { verdict: 'leak', reason: `The heap grows by ${perCycle(heapBytesPerCycle)} bytes a cycle.`, ...slopes };
  }
  // The second half alone too: resident memory that only found its level is no leak.
  const later = slopePerCycle(series.residentBytes.slice(series.residentBytes.length / 2), cyclesPerSample);
  if (residentBytesPerCycle.low > toleratedResident && later.low > toleratedResident) {
    const reason = `Resident memory grows by ${perCycle(residentBytesPerCycle)} bytes a cycle, outside the heap.`;
    return { verdict: 'leak', reason, ...slopes };
  }
  if (!(heapBytesPerCycle.high < toleratedBytesPerCycle)) {
    const range = `${toThree(heapBytesPerCycle.low)} to ${toThree(heapBytesPerCycle.high)}`;
    const reason = `The heap may grow by ${range} bytes a cycle, and ${toleratedBytesPerCycle} are tolerated: take more samples.`;
    return { verdict: 'inconclusive', reason, ...slopes };
  }
  if (descriptorsPerCycle !== undefined && !(descriptorsPerCycle.high < toleratedDescriptors)) {
    return { verdict: 'inconclusive', reason: 'The number of open descriptors goes up and down.', ...slopes };
  }
  return { verdict: 'no leak', reason: 'Nothing grows.', ...slopes };
}

/** What several processes say together: `leak` or `no leak` only where all agree. */
export function agreeOnLeak(verdicts: readonly LeakVerdict[]): LeakVerdict {
  const [first = 'inconclusive'] = verdicts;
  return verdicts.every((verdict) => verdict === first) ? first : 'inconclusive';
}

function slopePerCycle(values: readonly number[], cyclesPerSample: number): Interval {
  return fitLine(values.map((y, sample) => ({ x: sample * cyclesPerSample, y }))).slope;
}

/** Undefined where there is no `/proc`. One of them is the folder that is being read. */
function countDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined; // Only Linux tells; the other two series are judged alone.
  }
}

function perCycle({ estimate, low, high }: Interval): string {
  return `${toThree(estimate)} (${toThree(low)} to ${toThree(high)})`;
}

function toThree(value: number): string {
  return String(Number(value.toPrecision(3)));
}
