/**
 * What this process and its workers use, sampled in turn. The delay of the event loop stands beside memory and processor
 * time because it is the first thing callers feel.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ProcessIdentity } from './process-table.ts';
import { type ResourceSample, sampleIdentity, sampleProcess } from './sample.ts';

export interface ResourceMonitorOptions {
  /** Between samples. Infinity: only when `sample()` is called. @default 1000 */
  readonly intervalMs?: number;
  /**
   * Called with every sample, asked for or due. If it throws, `sample()` rejects with the error; when the sample was
   * due, the monitor stops and `close()` rejects with it, once.
   */
  readonly onSample?: (sample: MonitorSample) => void;
  /** Which processes to sample besides this one, asked anew each time; one that has gone is left out of the sample. */
  readonly processes?: readonly ProcessIdentity[] | (() => Iterable<ProcessIdentity>);
  /** @default Date */
  readonly clock?: { now(): number };
}

export interface ProcessUse extends ResourceSample {
  /** Processor time since the sample before, as a share of one core: 1.5 is one and a half cores. Absent in the first. */
  readonly cpuShare?: number;
}

/** How late the event loop came round, in milliseconds. */
export interface EventLoopDelay {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface MonitorSample {
  readonly atMs: number;
  readonly self: ProcessUse;
  readonly processes: readonly ProcessUse[];
  /** How much later than asked the event loop came round since the sample before, by a timer of 10 ms. */
  readonly eventLoopDelay: EventLoopDelay;
}

export interface ResourceMonitor {
  /** Takes a sample now. Calls made while one is being taken share it. */
  sample(): Promise<MonitorSample>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Begins to sample; does not keep the process alive. Cost per sample: three small files for each process on Linux, in turns
 * of about a millisecond.
 */
export function openResourceMonitor(options: ResourceMonitorOptions = {}): ResourceMonitor {
  return new SamplingMonitor(resolveMonitorOptions(options));
}

const delayResolutionMs = 10;
/** Thousands of processes are sampled in so many turns that nobody feels it. */
const longestSliceMs = 1;
const longestTimerMs = 2 ** 31 - 1;

type ResolvedMonitorOptions = Required<Omit<ResourceMonitorOptions, 'onSample'>> &
  Pick<ResourceMonitorOptions, 'onSample'>;

class SamplingMonitor implements ResourceMonitor {
  readonly #options: ResolvedMonitorOptions;
  readonly #delay: IntervalHistogram;
  readonly #timer: NodeJS.Timeout | undefined;
  #state: 'open' | 'closed' = 'open';
  #due: Promise<void> | undefined;
  #sampling: Promise<MonitorSample> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #before: { readonly atMs: number; readonly cpuMs: ReadonlyMap<string, number> } | undefined;

  constructor(options: ResolvedMonitorOptions) {
    this.#options = options;
    this.#delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
    this.#delay.enable();
    if (options.intervalMs === Infinity) return;
    this.#timer = setInterval(() => {
      this.#due = this.sample().then(
        () => undefined,
        (error: unknown) => {
          this.#failure ??= { error };
          this.#stop();
        },
      );
    }, options.intervalMs);
    this.#timer.unref();
  }

  sample(): Promise<MonitorSample> {
    this.#sampling ??= this.#take().finally(() => {
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#due;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #stop(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  async #take(): Promise<MonitorSample> {
    const { processes, clock, onSample } = this.#options;
    const identities = typeof processes === 'function' ? [...processes()] : processes;
    const wallMs = performance.now();
    const cpuMs = new Map<string, number>();
    const use = (key: string, sample: ResourceSample): ProcessUse => {
      cpuMs.set(key, sample.cpuMs);
      const before = this.#before?.cpuMs.get(key);
      if (this.#before === undefined || before === undefined) return sample;
      return { ...sample, cpuShare: (sample.cpuMs - before) / Math.max(wallMs - this.#before.atMs, 1) };
    };
    const self = use('self', await sampleSelf());
    const others: ProcessUse[] = [];
    let sliceMs = performance.now();
    for (const identity of identities) {
      if (performance.now() - sliceMs > longestSliceMs) {
        await nextTurn();
        sliceMs = performance.now();
      }
      const sample = await sampleIdentity(identity);
      if (sample !== undefined) others.push(use(`${identity.pid} ${identity.startTime}`, sample));
    }
    const sample = { atMs: clock.now(), self, processes: others, eventLoopDelay: this.#readDelay() };
    this.#before = { atMs: wallMs, cpuMs };
    onSample?.(sample);
    return sample;
  }

  #readDelay(): EventLoopDelay {
    // The histogram holds whole rounds of its timer; what is over its resolution is the delay.
    const over = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - delayResolutionMs);
    if (this.#delay.count === 0) return { meanMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
    const delay = {
      meanMs: over(this.#delay.mean),
      p50Ms: over(this.#delay.percentile(50)),
      p99Ms: over(this.#delay.percentile(99)),
      maxMs: over(this.#delay.max),
    };
    this.#delay.reset();
    return delay;
  }
}

async function sampleSelf(): Promise<ResourceSample> {
  const sample = await sampleProcess(process.pid);
  const { user, system } = process.cpuUsage();
  return { ...(sample ?? { pid: process.pid, rssBytes: process.memoryUsage.rss() }), cpuMs: (user + system) / 1000 };
}

function resolveMonitorOptions(options: ResourceMonitorOptions): ResolvedMonitorOptions {
  const { intervalMs = 1000, onSample, processes = [], clock = Date } = options;
  if (intervalMs !== Infinity && !(intervalMs >= 1 && intervalMs <= longestTimerMs)) {
    throw new RangeError(`intervalMs must be between 1 and ${longestTimerMs}, or Infinity, got ${intervalMs}`);
  }
  return Object.freeze({ intervalMs, processes, clock, ...(onSample && { onSample }) });
}
