/**
 * What a run leaves behind: every round as it was measured, and what follows from it. A stored baseline is a record
 * that holds one package.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ControlName } from './controls.ts';
import type { Environment } from './environment.ts';
import { BenchError } from './errors.ts';
import type { KindRecord } from './kind-records.ts';
import { type Interval, median } from './stats.ts';

export interface RunSettings {
  readonly rounds: number;
  readonly batchMs: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

export interface BenchmarkRecord {
  readonly format: 'cadre-bench/2';
  /** ISO 8601, UTC */
  readonly createdAt: string;
  readonly environment: Environment;
  readonly settings: RunSettings;
  readonly packages: readonly PackageRecord[];
  /** What was claimed of the cases of the package `workloads`, beside what was measured. */
  readonly workloads?: readonly WorkloadRecord[];
}

export interface WorkloadRecord {
  /** Of its case: `workloads/<name>`. */
  readonly name: string;
  /** Figures that are no time per unit, by round. */
  readonly probes: Readonly<Record<string, readonly number[]>>;
  readonly claims: readonly ClaimRecord[];
}

/** `perSecond` and `times` are better when they are more, `timesExactly` when it is nearer. */
export type ClaimUnit = 'nanoseconds' | 'perSecond' | 'times' | 'timesExactly';

export interface ClaimRecord {
  readonly what: string;
  readonly unit: ClaimUnit;
  readonly claimed?: number;
  readonly source: string;
  readonly measured: Interval;
  /** `level` when the interval holds the claimed figure. */
  readonly verdict: 'met' | 'missed' | 'level' | 'unclaimed';
  readonly reason: string;
}

export interface PackageRecord {
  readonly name: string;
  /** Of the sources that were measured, where they lie in the same workspace; see `hashSources`. */
  readonly sourceHash?: string;
  readonly controls: Readonly<Partial<Record<ControlName, ControlRecord>>>;
  /** Those that are timed. */
  readonly cases: readonly CaseRecord[];
  /** All others, by kind. */
  readonly kinds: readonly KindRecord[];
  readonly failures: readonly CaseFailure[];
  /** What could not be measured where it was measured. */
  readonly leftOut: readonly LeftOut[];
}

/** A control is measured twice in every round, by two processes that differ in nothing but their place. */
export interface ControlRecord {
  readonly question: string;
  readonly unit: string;
  /** Nanoseconds per iteration, by round. */
  readonly first: readonly number[];
  readonly second: readonly number[];
  /** The paired ratio of the two, which is 1 but for noise. */
  readonly selfRatio: Interval;
}

export interface CaseRecord {
  /** `<package>/<question>` */
  readonly name: string;
  readonly question: string;
  readonly unit: string;
  readonly unitsPerIteration: number;
  readonly control: ControlName;
  /** SHA-256 of the case's built file. */
  readonly hash: string;
  /** The variant that `timesReference` of the others is counted in. */
  readonly reference: string;
  readonly variants: Readonly<Record<string, VariantRecord>>;
}

export interface VariantRecord {
  /** Of a batch. */
  readonly iterations: number;
  /** By round, by batch: nanoseconds per iteration. */
  readonly samples: readonly (readonly number[])[];
  /** By round. Peak resident memory of the whole process. */
  readonly peakRssBytes: readonly number[];
  readonly nanosecondsPerUnit: number;
  /** Time per iteration over the control's in the same round. */
  readonly ratioToControl: Interval;
  /** Time over the reference's in the same round: 3 is three times as slow. */
  readonly timesReference: Interval;
}

export interface CaseFailure {
  readonly case: string;
  readonly code: string;
  readonly message: string;
}

/** A case, or one of its variants, whose need was missing: no failure, and no figure either. */
export interface LeftOut {
  /** `<package>/<question>` */
  readonly case: string;
  /** Undefined when it is the whole case. */
  readonly variant?: string;
  /** What was missing, by name. */
  readonly needs: readonly string[];
}

/** A variant's figure of each round, in nanoseconds per iteration: the median of its batches. */
export function roundFigures({ samples }: Pick<VariantRecord, 'samples'>): readonly number[] {
  return samples.map((batches) => median(batches));
}

/** A control's figure of each round: the mean of its two processes. */
export function controlFigures({ first, second }: ControlRecord): readonly number[] {
  return first.map((figure, round) => (figure + (second[round] ?? figure)) / 2);
}

/** How many cases of the record could not be measured. */
export function countFailures({ packages }: BenchmarkRecord): number {
  return packages.reduce((sum, { failures }) => sum + failures.length, 0);
}

/**
 * @throws {BenchError} BENCH_RECORD_NOT_FOUND when there is no file
 * @throws {BenchError} BENCH_RECORD_INVALID when it holds something else than a record
 */
export async function readRecord(path: string): Promise<BenchmarkRecord> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new BenchError('BENCH_RECORD_NOT_FOUND', `There is no record at ${path}.`, { cause });
  });
  return parseRecord(text, path);
}

/**
 * @param name  where the text is from, for the message
 * @throws {BenchError} BENCH_RECORD_INVALID when it is something else than a record
 */
export function parseRecord(text: string, name: string): BenchmarkRecord {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (cause) {
    throw new BenchError('BENCH_RECORD_INVALID', `${name} is not JSON: ${String(cause)}`, { cause });
  }
  if (isRecord(record)) return upgrade(record);
  const formats = readableFormats.join(' or ');
  throw new BenchError('BENCH_RECORD_INVALID', `${name} is not a record of format ${formats}: measure it again.`);
}

/** Through a temporary name, so that a reader never meets half a record. Creates the folder. */
export async function writeRecord(path: string, record: BenchmarkRecord): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${formatRecord(record)}\n`);
  await rename(temporary, path);
}

/** JSON with each list of numbers on one line, so that a change of a stored baseline can be read. */
export function formatRecord(record: BenchmarkRecord): string {
  const text = JSON.stringify(record, undefined, 2);
  return text.replace(/\[[\s\d.,eE+-]*\]/g, (list) => list.replace(/\s+/g, '').replaceAll(',', ', '));
}

/** The second format added the kinds of cases that are not timed. */
const readableFormats = ['cadre-bench/1', 'cadre-bench/2'] as const;

/** What came later than the first records. */
type Added = 'kinds' | 'leftOut';

type StoredPackage = Omit<PackageRecord, Added> & Partial<Pick<PackageRecord, Added>>;

type StoredRecord = Omit<BenchmarkRecord, 'format' | 'packages'> & {
  readonly format: (typeof readableFormats)[number];
  readonly packages: readonly StoredPackage[];
};

function upgrade({ packages, ...rest }: StoredRecord): BenchmarkRecord {
  return {
    ...rest,
    format: 'cadre-bench/2',
    packages: packages.map((entry) => ({ kinds: [], leftOut: [], ...entry })),
  };
}

function isRecord(value: unknown): value is StoredRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'format' in value &&
    readableFormats.some((format) => format === value.format) &&
    'packages' in value &&
    Array.isArray(value.packages) &&
    value.packages.every((entry: unknown) => typeof entry === 'object' && entry !== null && 'cases' in entry)
  );
}
