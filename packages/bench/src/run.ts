/**
 * Measures the cases of some packages, each kind in its own way: what is timed or put under load in rounds
 * (`run-rounds.ts`), the rest one after the other (`run-kinds.ts`). Cases about durable data come only where the disk
 * keeps what it is given.
 */
import { rm } from 'node:fs/promises';
import { type Environment, readEnvironment } from './environment.ts';
import { BenchError } from './errors.ts';
import { type FoundCase, type LoadedCase, loadCase } from './find-cases.ts';
import { applyNeeds, type OnMissing } from './needs.ts';
import type { BenchmarkRecord, CaseFailure, LeftOut, PackageRecord, RunSettings } from './record.ts';
import { countKindProcesses, isOther, measureKinds } from './run-kinds.ts';
import { countRoundProcesses, isLoad, isTimed, measureRounds, type Observer, type RoundCase } from './run-rounds.ts';
import { runWorker, type WorkerOptions } from './worker.ts';

export interface RunOptions {
  readonly cases: readonly FoundCase[];
  /** Where the processes' folders are made, and removed. On the disk that durable cases are about. */
  readonly workDirectory: string;
  /** Rounds of fresh processes; below 5 nothing is ever proven. @default 11 */
  readonly rounds?: number;
  /** Least length of a batch. @default 20 */
  readonly batchMs?: number;
  /** Work thrown away in each process before measuring. @default 100 */
  readonly warmupMs?: number;
  /** Time measured in each process. @default 200 */
  readonly measureMs?: number;
  /** Of one process. @default 60000 */
  readonly timeoutMs?: number;
  /** What becomes of a case whose need is missing: left out and named in the record, or failed. @default 'leaveOut' */
  readonly onMissing?: OnMissing;
  /** As `readEnvironment` gave it just before; read anew, which takes a second, where undefined. */
  readonly environment?: Environment;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
}

export type RunProgress =
  | { readonly type: 'packageStarted'; readonly packageName: string; readonly cases: number; readonly rounds: number }
  | {
      readonly type: 'processStarted';
      readonly packageName: string;
      /** 0 is the calibration. */
      readonly round: number;
      readonly label: string;
      /** Processes of the whole run that have ended, and how many there will be. */
      readonly done: number;
      readonly total: number;
    }
  | { readonly type: 'caseFailed'; readonly failure: CaseFailure }
  | { readonly type: 'packageEnded'; readonly record: PackageRecord };

/** A case that cannot be measured is a failure in the record; the others go on. Rejects with `signal.reason` when aborted. */
export async function runBenchmarks(options: RunOptions): Promise<BenchmarkRecord> {
  const { cases, workDirectory, signal, onProgress = () => undefined } = options;
  const settings = resolveSettings(options);
  const worker: WorkerOptions = { workDirectory, timeoutMs: options.timeoutMs ?? 60_000, signal };
  const createdAt = new Date().toISOString();
  const environment = options.environment ?? (await readEnvironment(process.cwd(), signal));
  try {
    const groups = await groupByPackage(cases, options.onMissing);
    await refuseDurableCases(groups, worker);
    const total = groups.reduce((sum, group) => sum + countProcesses(group, settings), 0);
    let done = 0;
    const packages: PackageRecord[] = [];
    for (const group of groups) {
      const packageName = group.name;
      onProgress({ type: 'packageStarted', packageName, cases: group.cases.length, rounds: settings.rounds });
      for (const failure of group.failures.values()) onProgress({ type: 'caseFailed', failure });
      const measured = await measureGroup(group, settings, worker, {
        onProcess: (round, label) =>
          onProgress({ type: 'processStarted', packageName, round, label, done: done++, total }),
        hasFailed: (caseName) => group.failures.has(caseName),
        fail(caseName, error) {
          const failure = toFailure(caseName, error);
          group.failures.set(caseName, failure);
          onProgress({ type: 'caseFailed', failure });
        },
      });
      packages.push(measured);
      onProgress({ type: 'packageEnded', record: measured });
    }
    return { format: 'cadre-bench/2', createdAt, environment, settings, packages };
  } finally {
    await rm(workDirectory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The defaults and their rules, for all who measure. */
export function resolveSettings(options: Partial<RunSettings>): RunSettings {
  const { rounds = 11, batchMs = 20, warmupMs = 100, measureMs = 200 } = options;
  for (const [name, value] of Object.entries({ rounds, batchMs, warmupMs, measureMs })) {
    if (!(value > 0)) throw new RangeError(`${name} must be above 0, not ${value}.`);
  }
  if (!Number.isInteger(rounds)) throw new RangeError(`rounds must be an integer, not ${rounds}.`);
  return { rounds, batchMs, warmupMs, measureMs };
}

interface Group {
  readonly name: string;
  readonly cases: readonly LoadedCase[];
  /** By case. */
  readonly failures: Map<string, CaseFailure>;
  readonly leftOut: readonly LeftOut[];
}

async function groupByPackage(
  found: readonly FoundCase[],
  onMissing: OnMissing | undefined,
): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (const name of new Set(found.map(({ packageName }) => packageName))) {
    const cases: LoadedCase[] = [];
    const failures = new Map<string, CaseFailure>();
    const leftOut: LeftOut[] = [];
    for (const entry of found.filter(({ packageName }) => packageName === name)) {
      try {
        const loaded = await loadCase(entry);
        const applied = await applyNeeds(entry.name, loaded.definition, onMissing);
        leftOut.push(...applied.leftOut);
        if (applied.definition !== undefined) cases.push({ ...loaded, definition: applied.definition });
      } catch (error) {
        failures.set(entry.name, toFailure(entry.name, error));
      }
    }
    groups.push({ name, cases, failures, leftOut });
  }
  return groups;
}

/** Where a sync does nothing, a case about durable data has no figure: it fails with the reason. */
async function refuseDurableCases(groups: readonly Group[], worker: WorkerOptions): Promise<void> {
  const isDurable = ({ definition }: LoadedCase) => definition.durable === true;
  if (!groups.some(({ cases }) => cases.some(isDurable))) return;
  const { doubt } = await runWorker({ control: 'disk', variant: 'control' }, { type: 'inspectDisk' }, worker);
  if (doubt === undefined) return;
  for (const { cases, failures } of groups) {
    for (const { name } of cases.filter(isDurable)) {
      const message = `${name} is about data that survive, and here they would not: ${doubt}`;
      failures.set(name, toFailure(name, new BenchError('BENCH_DISK_NOT_DURABLE', message)));
    }
  }
}

function countProcesses({ cases }: Group, settings: RunSettings): number {
  return countRoundProcesses(roundCases(cases), settings) + countKindProcesses(cases.filter(isOther), settings);
}

async function measureGroup(
  { name, cases, failures, leftOut }: Group,
  settings: RunSettings,
  worker: WorkerOptions,
  observer: Observer,
): Promise<PackageRecord> {
  const inRounds = roundCases(cases).filter((entry) => !failures.has(entry.name));
  const { controls, cases: timed, loads } = await measureRounds(inRounds, settings, worker, observer);
  const others = await measureKinds(cases.filter(isOther), settings, worker, observer);
  return { name, controls, cases: timed, kinds: [...loads, ...others], failures: [...failures.values()], leftOut };
}

function roundCases(cases: readonly LoadedCase[]): readonly RoundCase[] {
  return cases.filter((loaded): loaded is RoundCase => isTimed(loaded) || isLoad(loaded));
}

function toFailure(caseName: string, error: unknown): CaseFailure {
  const message = error instanceof Error ? error.message : String(error);
  return { case: caseName, code: error instanceof BenchError ? error.code : 'failed', message };
}
