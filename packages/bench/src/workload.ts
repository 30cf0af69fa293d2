/**
 * A workload is a case that somebody made a claim about: the figure claimed stands beside the one measured, with the
 * reason where they differ. It is measured as every case is; `claims` say how its figures answer what was claimed.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BenchmarkCase, CaseContext } from './case.ts';
import { BenchError } from './errors.ts';
import { type CaseRecord, type ClaimRecord, type ClaimUnit, roundFigures } from './record.ts';
import type { RunOptions } from './run.ts';
import { type Interval, medianInterval, pairedRatios } from './stats.ts';

type FoundWorkload = RunOptions['cases'][number];

export interface Workload<Result = unknown> extends BenchmarkCase<Result> {
  readonly claims: readonly Claim[];
  readonly probes: Readonly<Record<string, Probe>>;
  /** The same work, small enough to be checked in a test. */
  readonly small: BenchmarkCase<Result>;
}

export interface WorkloadDefinition<Result> {
  /** In one sentence, what is done. */
  readonly question: string;
  readonly claims: readonly Claim[];
  /** @default none */
  readonly probes?: Readonly<Record<string, Probe>>;
  /** How much of it: `full` is measured, `small` is what tests check. */
  readonly sizes: { readonly full: number; readonly small: number };
  /** The work of one size. `cadre` is the variant that is judged; every workload has a peer or a control beside it. */
  make(size: number): Omit<BenchmarkCase<Result>, 'question'>;
}

export interface Claim {
  /** What the figure is of, in a few words. */
  readonly what: string;
  readonly unit: ClaimUnit;
  /** In `unit`; undefined where nobody named a figure. */
  readonly claimed?: number;
  /** Where the claimed figure is from, or why there is none. */
  readonly source: string;
  /** The measured figure, in `unit`. */
  read(figures: WorkloadFigures): Interval;
  /** One sentence why the two differ, or what they rest on; true of the outcome it is given. */
  explain(outcome: ClaimOutcome): string;
}

export type ClaimVerdict = ClaimRecord['verdict'];

export interface ClaimOutcome {
  readonly verdict: ClaimVerdict;
  readonly measured: Interval;
  readonly figures: WorkloadFigures;
}

/**
 * A figure that is no time per unit, such as a percentile: measured in a fresh process in each round. Throws when the
 * work was not done.
 */
export type Probe = (context: CaseContext) => number | Promise<number>;

export interface WorkloadFigures {
  /** Nanoseconds per unit. @param variant  default the reference */
  time(variant?: string): Interval;
  /** Units per second. */
  rate(variant?: string): Interval;
  /** How many times as long `slower` took as `faster` in the same round. */
  times(slower: string, faster?: string): Interval;
  /** @throws {RangeError} when the workload has no such probe */
  probe(name: string): Interval;
}

export function defineWorkload<Result>(definition: WorkloadDefinition<Result>): Workload<Result> {
  const { question, claims, probes = {}, sizes, make } = definition;
  return { question, claims, probes, ...make(sizes.full), small: { question, ...make(sizes.small) } };
}

/**
 * The workloads in a folder, by name; files in which a thread or process starts (`*-entry`) are none.
 * @param name  one of them, or `all`
 * @throws {BenchError} BENCH_CASE_NOT_FOUND when there is no such workload
 */
export async function findWorkloads(directory: string, name: string): Promise<readonly FoundWorkload[]> {
  const files = await readdir(directory).catch((cause: unknown) => {
    throw new BenchError('BENCH_CASE_NOT_FOUND', `No folder of workloads at ${directory}: build them first.`, {
      cause,
    });
  });
  const all = files
    .filter((file) => /\.(js|mjs|ts)$/.test(file) && !/(\.test\.ts|\.d\.ts|-entry\.\w+)$/.test(file))
    .map((file) => ({
      packageName: 'workloads',
      name: `workloads/${file.replace(/\.\w+$/, '')}`,
      file: join(directory, file),
    }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const found = all.filter((entry) => name === 'all' || entry.name === `workloads/${name}`);
  if (found.length > 0) return found;
  const known = all.map((entry) => entry.name.slice('workloads/'.length)).join(', ') || 'none';
  throw new BenchError('BENCH_CASE_NOT_FOUND', `No workload ${name} in ${directory}. There are: ${known}.`);
}

/** @throws {BenchError} BENCH_CASE_INVALID when the file's default export is not what `defineWorkload` returns */
export async function loadWorkload(file: string): Promise<Workload> {
  const module: { default?: unknown } = await import(pathToFileURL(file).href);
  if (isWorkload(module.default)) return module.default;
  throw new BenchError('BENCH_CASE_INVALID', `${file} is not a workload: export what defineWorkload returns.`);
}

/** @param probes  by name, the figure of each round */
export function workloadFigures(
  entry: CaseRecord,
  probes: Readonly<Record<string, readonly number[]>>,
): WorkloadFigures {
  const perUnit = (name: string) => {
    const variant = entry.variants[name];
    if (variant === undefined) throw new RangeError(`${entry.name} has no variant "${name}".`);
    return roundFigures(variant).map((figure) => figure / entry.unitsPerIteration);
  };
  return {
    time: (variant = entry.reference) => medianInterval(perUnit(variant)),
    rate: (variant = entry.reference) => medianInterval(perUnit(variant).map((figure) => 1e9 / figure)),
    times: (slower, faster = entry.reference) => medianInterval(pairedRatios(perUnit(slower), perUnit(faster))),
    probe: (name) => {
      const figures = probes[name];
      if (figures === undefined) throw new RangeError(`${entry.name} has no probe "${name}".`);
      return medianInterval(figures);
    },
  };
}

export function judgeClaim(claim: Claim, figures: WorkloadFigures): ClaimRecord {
  const { what, unit, source, claimed } = claim;
  const measured = claim.read(figures);
  const verdict = compareWithClaim(unit, claimed, measured);
  const reason = claim.explain({ verdict, measured, figures });
  return { what, unit, source, measured, verdict, reason, ...(claimed === undefined ? {} : { claimed }) };
}

/** What counts as exact: within 1 %. */
const exactWithin = 0.01;

/** A time is to be at most what was claimed, a rate or a factor at least, an exact factor neither more nor less. */
function compareWithClaim(
  unit: ClaimUnit,
  claimed: number | undefined,
  { estimate, low, high }: Interval,
): ClaimVerdict {
  if (claimed === undefined) return 'unclaimed';
  if (unit === 'timesExactly') return Math.abs(estimate / claimed - 1) <= exactWithin ? 'met' : 'missed';
  if (low <= claimed && claimed <= high) return 'level';
  const isBelow = high < claimed;
  return isBelow === (unit === 'nanoseconds') ? 'met' : 'missed';
}

function isWorkload(value: unknown): value is Workload {
  return typeof value === 'object' && value !== null && 'claims' in value && 'small' in value && 'variants' in value;
}
