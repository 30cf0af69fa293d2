/**
 * How long messages take from `publish` to their handler, as a histogram a subject. Buckets grow by 1/16 of themselves, as in an
 * HDR histogram, so a percentile is off by at most 6 % and a subject costs 4 KB whatever it carries.
 */

import { parsePattern, subjectMatches } from './subject.ts';
import type { Headers, TransportMessage } from './transport.ts';

export interface LatencyOptions {
  /** Only messages whose subject one of these patterns matches are measured. @default ['>'] */
  readonly subjects?: readonly string[];
  /** Subjects told apart; the rest is counted together as `…`. @default 256 */
  readonly maxSubjects?: number;
}

export interface LatencySummary {
  readonly count: number;
  /** Microseconds: half of all messages took at most this long. */
  readonly p50Us: number;
  readonly p95Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** Where subjects beyond `maxSubjects` are counted. */
const others = '…';

const bucketsPerDoubling = 16;
/** Up to 2^36 µs, which is 19 hours. */
const doublings = 32;

/** When the message was published, in microseconds since 1970: it travels with the message. */
const sentHeader = 'cadre-sent-us';

/** Stamps what is published and reads the stamps of what arrives. */
export class LatencyMeter {
  readonly #patterns: readonly string[];
  readonly #clock: { now(): number };
  readonly #histograms: LatencyHistograms;

  constructor({ subjects = ['>'], maxSubjects = 256 }: LatencyOptions, clock: { now(): number }) {
    for (const pattern of subjects) parsePattern(pattern);
    if (!Number.isInteger(maxSubjects) || maxSubjects < 1) {
      throw new RangeError(`Expected \`maxSubjects\` to be a positive integer, got \`${maxSubjects}\``);
    }
    this.#patterns = subjects;
    this.#clock = clock;
    this.#histograms = new LatencyHistograms(maxSubjects);
  }

  stamp(subject: string, headers: Headers): Headers {
    if (!this.#patterns.some((pattern) => subjectMatches(pattern, subject))) return headers;
    return Object.freeze({ ...headers, [sentHeader]: String(this.#clock.now() * 1_000) });
  }

  readonly arrived = ({ subject, headers }: TransportMessage): void => {
    const sent = headers[sentHeader];
    if (sent !== undefined) this.#histograms.record(subject, this.#clock.now() * 1_000 - Number(sent));
  };

  summaries(): ReadonlyMap<string, LatencySummary> {
    return this.#histograms.summaries();
  }
}

export class LatencyHistograms {
  readonly #maxSubjects: number;
  readonly #histograms = new Map<string, Histogram>();

  constructor(maxSubjects: number) {
    this.#maxSubjects = maxSubjects;
  }

  record(subject: string, us: number): void {
    let histogram = this.#histograms.get(subject);
    if (histogram === undefined) {
      const name = this.#histograms.size < this.#maxSubjects ? subject : others;
      histogram = this.#histograms.get(name) ?? new Histogram();
      this.#histograms.set(name, histogram);
    }
    histogram.record(us);
  }

  summaries(): ReadonlyMap<string, LatencySummary> {
    return new Map([...this.#histograms].map(([subject, histogram]) => [subject, histogram.summary()]));
  }
}

export class Histogram {
  readonly #buckets = new Uint32Array(bucketsPerDoubling * (doublings + 1));
  #count = 0;
  #max = 0;

  /** Below 0, which two machines' clocks can make it, counts as 0. */
  record(us: number): void {
    const value = Math.max(0, us);
    const bucket = Math.min(bucketOf(value), this.#buckets.length - 1);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count++;
    if (value > this.#max) this.#max = value;
  }

  summary(): LatencySummary {
    const at = (share: number) => Math.min(this.#valueAt(Math.ceil(share * this.#count)), this.#max);
    return { count: this.#count, p50Us: at(0.5), p95Us: at(0.95), p99Us: at(0.99), maxUs: this.#max };
  }

  #valueAt(rank: number): number {
    let seen = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      seen += count;
      if (seen >= rank && count > 0) return upperBoundOf(bucket);
    }
    return 0;
  }
}

/** The first sixteen are a sixteenth of a microsecond wide each. */
function bucketOf(us: number): number {
  const units = Math.floor(us * bucketsPerDoubling);
  if (units < bucketsPerDoubling) return units;
  const doubling = Math.floor(Math.log2(units / bucketsPerDoubling));
  return bucketsPerDoubling * (doubling + 1) + Math.floor(units / 2 ** doubling) - bucketsPerDoubling;
}

function upperBoundOf(bucket: number): number {
  const doubling = Math.floor(bucket / bucketsPerDoubling) - 1;
  const within = (bucket % bucketsPerDoubling) + 1;
  if (doubling < 0) return within / bucketsPerDoubling;
  return ((bucketsPerDoubling + within) * 2 ** doubling) / bucketsPerDoubling;
}
