/**
 * A scripted stress: phases of arrivals (a ramp, a hold), faults at stated moments, and invariants that must hold after
 * each phase. Errors of requests are counted, not thrown: under a fault some are expected. It always ends: phases have
 * lengths, requests have deadlines, and so has the wait for the last of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { evenArrivals, type RequestFailure, realPause, sendArrivals } from '../arrivals.ts';
import type { CaseContext, CaseHead } from '../case.ts';
import { DurationHistogram } from '../histogram.ts';
import { type NanosecondClock, processClock } from '../measure.ts';
import { type LatencyFigure, latencyFigures } from './load.ts';

export interface ScenarioPhase {
  readonly name: string;
  readonly durationMs: number;
  /** One rate to hold, or a ramp from one to another. */
  readonly ratePerSecond: number | { readonly from: number; readonly to: number };
}

/** `name` is one of the variant's `faults`; `atMs` counts from the start of the first phase. */
export interface ScenarioFault {
  readonly name: string;
  readonly atMs: number;
}

/** A variant that is ready to be put under stress. */
export interface PreparedScenario {
  /** One request; what it returns is awaited. `signal` is aborted at the request's deadline. */
  request(index: number, options: { readonly signal: AbortSignal }): unknown;
  readonly faults?: Readonly<Record<string, () => void | Promise<void>>>;
  /** Each throws when it does not hold. Asked after each phase and, last, when all requests have been settled. */
  readonly invariants: Readonly<Record<string, (progress: ScenarioProgress) => void | Promise<void>>>;
  close?(): void | Promise<void>;
}

/** What the requests came to so far. */
export interface ScenarioProgress {
  readonly started: number;
  readonly answered: number;
  readonly failed: number;
  /** Whether all requests have been settled. */
  readonly ended: boolean;
}

export type ScenarioVariant = (context: CaseContext) => PreparedScenario | Promise<PreparedScenario>;

export interface ScenarioCase extends CaseHead {
  readonly kind: 'scenario';
  readonly phases: readonly ScenarioPhase[];
  readonly faults?: readonly ScenarioFault[];
  /** A request that takes longer has failed. @default 5000 */
  readonly requestTimeoutMs?: number;
  /** Unanswered requests beyond this are not sent and have failed. @default 10000 */
  readonly maxInFlight?: number;
  readonly variants: Readonly<Record<string, ScenarioVariant>>;
}

export interface PhaseResult {
  readonly name: string;
  readonly requests: number;
  readonly failed: number;
  /** By the error's code, else its name; at most 20 of them, the rest under `other`. */
  readonly errors: Readonly<Record<string, number>>;
  /** Of answered requests, by when they were due; undefined where there was none. */
  readonly latency?: Readonly<Record<LatencyFigure, number>>;
}

export interface ScenarioRun {
  readonly phases: readonly PhaseResult[];
  readonly faults: readonly { readonly name: string; readonly atMs: number; readonly firedAtMs: number }[];
  /** Which invariant did not hold, after which phase, and what it said. */
  readonly violations: readonly { readonly invariant: string; readonly phase: string; readonly message: string }[];
}

export interface ScenarioOptions {
  readonly clock: NanosecondClock;
  readonly pause: typeof realPause;
  /** Resolves at a moment, in ms from now; rejects when the signal is aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
  readonly signal?: AbortSignal;
}

const realOptions: ScenarioOptions = {
  clock: processClock,
  pause: realPause,
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

/** Returns the definition as it is, with its kind; for its types. */
export function defineScenario(definition: Omit<ScenarioCase, 'kind'>): ScenarioCase {
  return { ...definition, kind: 'scenario' };
}

/** The longest that the scenario can take, in milliseconds. */
export function longestScenario({ phases, requestTimeoutMs = 5000 }: ScenarioCase): number {
  return phases.reduce((sum, { durationMs }) => sum + durationMs, 0) + requestTimeoutMs;
}

/**
 * @throws {TypeError} when a fault has no function of its name, or would come after the last phase
 * Rejects with what a fault threw, and with `signal.reason` when aborted.
 */
export async function runScenario(
  definition: ScenarioCase,
  prepared: PreparedScenario,
  options: ScenarioOptions = realOptions,
): Promise<ScenarioRun> {
  const { phases, faults = [], requestTimeoutMs = 5000, maxInFlight = 10_000 } = definition;
  options.signal?.throwIfAborted();
  assertFaultsCanFire(definition, prepared);
  const { clock } = options;
  const tallies = phases.map(({ name }) => new PhaseTally(name));
  const ends = phases.map((_, index) =>
    phases.slice(0, index + 1).reduce((sum, { durationMs }) => sum + durationMs, 0),
  );
  const tallyAt = (intendedNs: number) => {
    const index = ends.findIndex((end) => intendedNs < end * 1e6);
    return tallies[index] ?? tallies.at(-1);
  };
  const stop = new AbortController();
  const onAbort = () => stop.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const violations: { invariant: string; phase: string; message: string }[] = [];
  const fired: { name: string; atMs: number; firedAtMs: number }[] = [];
  const progress = { started: 0, answered: 0, failed: 0, ended: false };
  const check = async (phase: string) => {
    for (const [invariant, hold] of Object.entries(prepared.invariants)) {
      try {
        await hold({ ...progress });
      } catch (error) {
        violations.push({ invariant, phase, message: error instanceof Error ? error.message : String(error) });
      }
    }
  };
  const origin = clock.now();
  const elapsedMs = () => (clock.now() - origin) / 1e6;
  const at = async (milliseconds: number, work: () => Promise<void>) => {
    await options.wait(Math.max(0, milliseconds - elapsedMs()), stop.signal);
    await work();
  };
  const script = [
    ...faults.map(({ name, atMs }) =>
      at(atMs, async () => {
        fired.push({ name, atMs, firedAtMs: Math.round(elapsedMs()) });
        await prepared.faults?.[name]?.();
      }),
    ),
    ...phases.slice(0, -1).map(({ name }, index) => at(ends[index] ?? 0, () => check(name))),
  ];
  const scripted = Promise.all(script).catch((error: unknown) => {
    stop.abort(error);
    throw error;
  });
  const sent = sendArrivals(
    untilAborted(scheduleOf(phases), stop.signal),
    (index) => {
      progress.started += 1;
      return withDeadline((signal) => prepared.request(index, { signal }), requestTimeoutMs);
    },
    {
      clock,
      pause: options.pause,
      maxInFlight,
      drainMs: requestTimeoutMs + 100,
      onSettled(_index, intended, latency, failure) {
        if (failure === undefined) progress.answered += 1;
        else progress.failed += 1;
        tallyAt(intended)?.add(latency, failure);
      },
    },
  );
  try {
    await Promise.all([sent, scripted]);
    stop.signal.throwIfAborted();
    progress.ended = true;
    await check(phases.at(-1)?.name ?? '');
  } finally {
    stop.abort();
    options.signal?.removeEventListener('abort', onAbort);
  }
  return {
    phases: tallies.map((tally) => tally.toResult()),
    faults: fired.sort((left, right) => left.firedAtMs - right.firedAtMs),
    violations,
  };
}

class PhaseTally {
  readonly #name: string;
  readonly #latencies = new DurationHistogram();
  readonly #errors = new Map<string, number>();
  #requests = 0;
  #failed = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add(latency: number, failure: RequestFailure | undefined): void {
    this.#requests += 1;
    if (failure === undefined) {
      this.#latencies.add(latency);
      return;
    }
    this.#failed += 1;
    const kind = nameOfError(failure.error);
    const known = this.#errors.has(kind) || this.#errors.size < 20 ? kind : 'other';
    this.#errors.set(known, (this.#errors.get(known) ?? 0) + 1);
  }

  toResult(): PhaseResult {
    const base = {
      name: this.#name,
      requests: this.#requests,
      failed: this.#failed,
      errors: Object.fromEntries(this.#errors),
    };
    if (this.#latencies.count === 0) return base;
    const latency = Object.fromEntries(
      Object.entries(latencyFigures).map(([figure, share]) => [figure, this.#latencies.quantile(share)]),
    ) as Record<LatencyFigure, number>;
    return { ...base, latency };
  }
}

function assertFaultsCanFire({ phases, faults = [] }: ScenarioCase, prepared: PreparedScenario): void {
  const durationMs = phases.reduce((sum, phase) => sum + phase.durationMs, 0);
  for (const { name, atMs } of faults) {
    if (typeof prepared.faults?.[name] !== 'function') {
      throw new TypeError(`The scenario has a fault "${name}" at ${atMs} ms, and the variant no function for it.`);
    }
    if (!(atMs >= 0 && atMs <= durationMs)) {
      throw new TypeError(`The fault "${name}" would fire at ${atMs} ms of ${durationMs}: put it within the phases.`);
    }
  }
}

function* scheduleOf(phases: readonly ScenarioPhase[]): Generator<number> {
  let startMs = 0;
  for (const { durationMs, ratePerSecond } of phases) {
    const rate = typeof ratePerSecond === 'number' ? { from: ratePerSecond, to: ratePerSecond } : ratePerSecond;
    yield* evenArrivals(rate, durationMs, startMs);
    startMs += durationMs;
  }
}

function* untilAborted(schedule: Iterable<number>, signal: AbortSignal): Generator<number> {
  for (const moment of schedule) {
    if (signal.aborted) return;
    yield moment;
  }
}

/** Settles by the deadline whatever the request does with its signal. */
async function withDeadline(request: (signal: AbortSignal) => unknown, timeoutMs: number): Promise<void> {
  const deadline = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const reason = Object.assign(new Error(`Not answered within ${timeoutMs} ms.`), { code: 'REQUEST_TIMEOUT' });
      reject(reason);
      deadline.abort(reason);
    }, timeoutMs);
  });
  try {
    await Promise.race([request(deadline.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

function nameOfError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
