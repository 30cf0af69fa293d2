/**
 * Requests that arrive at moments fixed beforehand, whatever became of the earlier ones. A latency is counted from the
 * moment at which the request was meant to start, so that the wait behind a slow one is part of it. (A caller that sends
 * the next request only after the answer stops asking just when it hurts: Tene's "coordinated omission".)
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { DurationHistogram } from './histogram.ts';
import type { NanosecondClock } from './measure.ts';

export interface ArrivalOptions {
  readonly clock: NanosecondClock;
  /** Comes back after about this long, or earlier; the event loop has turned by then. */
  pause(nanoseconds: number): Promise<void>;
  /** A request that finds so many unanswered is not sent, and counts as failed. */
  readonly maxInFlight: number;
  /** How long after the last start answers are waited for. */
  readonly drainMs: number;
  /**
   * `latency` is from the intended start; `failure` is undefined for what was answered. Called once for each request, also
   * for those that were never answered.
   */
  onSettled(index: number, intended: number, latency: number, failure: RequestFailure | undefined): void;
}

/** What a request threw or rejected with is its own: it may be `undefined`, so it does not stand by itself. */
export interface RequestFailure {
  readonly error: unknown;
}

export interface Arrivals {
  readonly started: number;
  /** How late each request started; what the one who sends them, or a blocked event loop, is to blame for. */
  readonly lateness: DurationHistogram;
  /** From the first start to the last. */
  readonly startedWithinNs: number;
  /** Of those that were sent. */
  readonly unanswered: number;
}

/** Why a request was given up; `code` tells it from what the request itself threw. */
export class GivenUp extends Error {
  readonly code: 'IN_FLIGHT_LIMIT' | 'NEVER_ANSWERED';

  constructor(code: GivenUp['code'], message: string) {
    super(message);
    this.name = 'GivenUp';
    this.code = code;
  }
}

/** The event loop turns at least this often while one burst of overdue requests is sent. */
const burst = 256;
/** Below this a timer is too coarse: the loop turns until the moment has come. */
const timerReachNs = 2e6;

export const realPause: ArrivalOptions['pause'] = async (nanoseconds) => {
  if (nanoseconds > timerReachNs) await sleep((nanoseconds - timerReachNs) / 1e6 + 0.5);
  else await turn();
};

/** @param schedule  intended starts in nanoseconds from now, ascending */
export async function sendArrivals(
  schedule: Iterable<number>,
  request: (index: number) => unknown,
  options: ArrivalOptions,
): Promise<Arrivals> {
  const { clock, pause, maxInFlight, onSettled } = options;
  const lateness = new DurationHistogram();
  const waiting = new Map<number, number>();
  const origin = clock.now();
  let [started, firstStart, lastStart, sinceTurn] = [0, 0, 0, 0];

  const settle = (index: number, intended: number, failure?: RequestFailure) => {
    onSettled(index, intended, clock.now() - origin - intended, failure);
  };
  const send = (index: number, intended: number) => {
    if (waiting.size >= maxInFlight) {
      const error = new GivenUp('IN_FLIGHT_LIMIT', `${maxInFlight} requests were unanswered already.`);
      settle(index, intended, { error });
      return;
    }
    try {
      const answer = request(index);
      if (!(answer instanceof Promise)) return settle(index, intended);
      waiting.set(index, intended);
      answer.then(
        () => waiting.delete(index) && settle(index, intended),
        (error: unknown) => waiting.delete(index) && settle(index, intended, { error }),
      );
    } catch (error) {
      settle(index, intended, { error });
    }
  };

  for (const intended of schedule) {
    for (let left = intended - (clock.now() - origin); left >= 1; left = intended - (clock.now() - origin)) {
      await pause(left);
      sinceTurn = 0;
    }
    if (sinceTurn >= burst) {
      await pause(0);
      sinceTurn = 0;
    }
    sinceTurn += 1;
    lastStart = clock.now() - origin;
    if (started === 0) firstStart = lastStart;
    lateness.add(lastStart - intended);
    send(started, intended);
    started += 1;
  }
  const deadline = clock.now() + options.drainMs * 1e6;
  while (waiting.size > 0 && clock.now() < deadline) await pause(Math.min(3e6, deadline - clock.now()));
  const unanswered = waiting.size;
  for (const [index, intended] of [...waiting]) {
    waiting.delete(index);
    const error = new GivenUp('NEVER_ANSWERED', `Not answered within ${options.drainMs} ms of the last start.`);
    settle(index, intended, { error });
  }
  return { started, lateness, startedWithinNs: lastStart - firstStart, unanswered };
}

/** The intended starts, in nanoseconds, of a rate that goes evenly from one to the other over a time. */
export function* evenArrivals(
  rate: { readonly from: number; readonly to: number },
  durationMs: number,
  startMs = 0,
): Generator<number> {
  const seconds = durationMs / 1e3;
  const total = Math.round(((rate.from + rate.to) / 2) * seconds);
  const acceleration = (rate.to - rate.from) / seconds;
  for (let sent = 0; sent < total; sent += 1) {
    // The number sent by the time t is from·t + acceleration·t²/2; solved for t in the form that is exact for no acceleration.
    const root = Math.sqrt(Math.max(0, rate.from ** 2 + 2 * acceleration * sent));
    const at = sent === 0 ? 0 : (2 * sent) / (rate.from + root);
    yield Math.round(startMs * 1e6 + at * 1e9);
  }
}
