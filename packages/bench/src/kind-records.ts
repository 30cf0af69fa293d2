/** What a record holds of the cases that are not timed: for each kind what was measured, raw, and what follows from it. */
import type { ControlName } from './controls.ts';
import type { HistogramCounts } from './histogram.ts';
import type { LeakJudgement, LeakSeries, LeakVerdict } from './kinds/leak.ts';
import type { LatencyFigure } from './kinds/load.ts';
import type { ScenarioRun } from './kinds/scenario.ts';
import type { PackageSize } from './kinds/size.ts';
import type { Interval } from './stats.ts';

export type KindRecord = LoadRecord | MemoryRecord | LeakRecord | ScenarioRecord | SizeRecord;

interface KindHead {
  /** `<package>/<question>` */
  readonly name: string;
  readonly question: string;
  readonly unit: string;
  /** SHA-256 of the case's built file. */
  readonly hash: string;
}

interface WithVariants<VariantRecord> {
  /** The variant that is judged. */
  readonly reference: string;
  readonly variants: Readonly<Record<string, VariantRecord>>;
}

export interface LoadRecord extends KindHead, WithVariants<LoadVariantRecord> {
  readonly kind: 'load';
  readonly control: ControlName;
  readonly ratePerSecond: number;
}

export interface LoadVariantRecord {
  /** By round. */
  readonly achievedPerSecond: readonly number[];
  /** By round, in nanoseconds from the moment a request was due. */
  readonly latency: Readonly<Record<LatencyFigure, readonly number[]>>;
  /** Of all rounds together; each off by at most 1 in 256. */
  readonly histogram: HistogramCounts;
}

export interface MemoryRecord extends KindHead, WithVariants<MemoryVariantRecord> {
  readonly kind: 'memory';
}

export interface MemoryVariantRecord {
  /** By process: how many items, and what they kept. */
  readonly items: readonly number[];
  readonly heapBytes: readonly number[];
  readonly externalBytes: readonly number[];
  readonly arrayBufferBytes: readonly number[];
  /** The slope of heap and external bytes over items. */
  readonly bytesPerItem: Interval;
  /** What is kept with no item at all. */
  readonly fixedBytes: number;
}

export interface LeakRecord extends KindHead, WithVariants<LeakVariantRecord> {
  readonly kind: 'leak';
  readonly toleratedBytesPerCycle: number;
}

export interface LeakVariantRecord {
  /** What all processes agree on. */
  readonly verdict: LeakVerdict;
  /** By process. */
  readonly series: readonly LeakSeries[];
  readonly judgements: readonly LeakJudgement[];
}

export interface ScenarioRecord extends KindHead, WithVariants<ScenarioRun> {
  readonly kind: 'scenario';
}

export interface SizeRecord extends KindHead {
  readonly kind: 'size';
  readonly packageName: string;
  readonly size: PackageSize;
}
