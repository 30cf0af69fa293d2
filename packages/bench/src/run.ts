/**
 * Measures the cases of some packages. Every variant is first calibrated in a process of its own, where its result is
 * checked against the other variants'; then each round starts one fresh process per variant, and two per control, in an
 * order that changes from round to round.
 */
import { rm } from 'node:fs/promises';
import { assertEqualWork, type FoundCase, type LoadedCase, loadCase } from './case.ts';
import { type ControlName, controls } from './controls.ts';
import { readEnvironment } from './environment.ts';
import { BenchError } from './errors.ts';
import { type BatchPlan, planBatches } from './measure.ts';
import {
  type BenchmarkRecord,
  type CaseFailure,
  type CaseRecord,
  type ControlRecord,
  controlFigures,
  type PackageRecord,
  type RunSettings,
  roundFigures,
} from './record.ts';
import { roundOrder } from './rounds.ts';
import { median, medianInterval, pairedRatios } from './stats.ts';
import { runWorker, type VariantAddress, type WorkerOptions } from './worker.ts';

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
  const environment = await readEnvironment(process.cwd(), signal);
  try {
    const groups = await groupByPackage(cases);
    const total = groups.reduce((sum, group) => sum + group.subjects.length * (settings.rounds + 1), 0);
    let done = 0;
    const packages: PackageRecord[] = [];
    for (const group of groups) {
      onProgress({
        type: 'packageStarted',
        packageName: group.name,
        cases: group.cases.length,
        rounds: settings.rounds,
      });
      const measured = await measureGroup(group, settings, worker, {
        onFailure: (failure) => onProgress({ type: 'caseFailed', failure }),
        onProcess: (round, label) =>
          onProgress({ type: 'processStarted', packageName: group.name, round, label, done: done++, total }),
      });
      packages.push(measured);
      onProgress({ type: 'packageEnded', record: measured });
    }
    return { format: 'cadre-bench/1', createdAt, environment, settings, packages };
  } finally {
    await rm(workDirectory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** One thing that is measured in every round. */
interface Subject {
  /** The case it fails with; a control has none. */
  readonly caseName: string | undefined;
  readonly label: string;
  readonly address: VariantAddress;
}

interface Group {
  readonly name: string;
  readonly cases: readonly LoadedCase[];
  readonly subjects: readonly Subject[];
  readonly failures: readonly CaseFailure[];
}

interface Measurement {
  plan: BatchPlan;
  result: unknown;
  readonly samples: number[][];
  readonly peakRssBytes: number[];
}

interface Observer {
  onProcess(round: number, label: string): void;
  onFailure(failure: CaseFailure): void;
}

function resolveSettings(options: RunOptions): RunSettings {
  const { rounds = 11, batchMs = 20, warmupMs = 100, measureMs = 200 } = options;
  for (const [name, value] of Object.entries({ rounds, batchMs, warmupMs, measureMs })) {
    if (!(value > 0)) throw new RangeError(`${name} must be above 0, not ${value}.`);
  }
  if (!Number.isInteger(rounds)) throw new RangeError(`rounds must be an integer, not ${rounds}.`);
  return { rounds, batchMs, warmupMs, measureMs };
}

async function groupByPackage(found: readonly FoundCase[]): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (const name of new Set(found.map(({ packageName }) => packageName))) {
    const cases: LoadedCase[] = [];
    const failures: CaseFailure[] = [];
    for (const entry of found.filter(({ packageName }) => packageName === name)) {
      try {
        cases.push(await loadCase(entry));
      } catch (error) {
        failures.push(toFailure(entry.name, error));
      }
    }
    groups.push({ name, cases, failures, subjects: [...controlSubjects(cases), ...cases.flatMap(caseSubjects)] });
  }
  return groups;
}

function controlSubjects(cases: readonly LoadedCase[]): readonly Subject[] {
  const needed = new Set(cases.map(controlOf));
  return [...needed].flatMap((control) =>
    ['first', 'second'].map((place) => ({
      caseName: undefined,
      label: `${control} control, ${place}`,
      address: { control, variant: 'control' as const },
    })),
  );
}

function caseSubjects(loaded: LoadedCase): readonly Subject[] {
  return Object.keys(loaded.definition.variants).map((variant) => ({
    caseName: loaded.name,
    label: subjectLabel(loaded, variant),
    address: { file: loaded.file, variant },
  }));
}

async function measureGroup(
  group: Group,
  settings: RunSettings,
  worker: WorkerOptions,
  observer: Observer,
): Promise<PackageRecord> {
  const measurements = new Map<string, Measurement>();
  const failed = new Map(group.failures.map((failure) => [failure.case, failure]));
  for (const failure of group.failures) observer.onFailure(failure);

  const attempt = async (round: number, subject: Subject, work: () => Promise<void>) => {
    observer.onProcess(round, subject.label);
    if (subject.caseName !== undefined && failed.has(subject.caseName)) return;
    try {
      await work();
    } catch (error) {
      // Without its control no case of the package means anything.
      if (worker.signal?.aborted || subject.caseName === undefined) throw error;
      fail(subject.caseName, error);
    }
  };
  const fail = (caseName: string, error: unknown) => {
    const failure = toFailure(caseName, error);
    failed.set(caseName, failure);
    observer.onFailure(failure);
  };

  for (const subject of group.subjects) {
    await attempt(0, subject, async () => {
      const twin = subject.caseName === undefined ? findTwin(group, subject, measurements) : undefined;
      measurements.set(subject.label, twin ?? (await calibrate(subject, settings, worker)));
    });
  }
  for (const loaded of group.cases) {
    if (failed.has(loaded.name)) continue;
    try {
      assertEqualWork(loaded.name, resultsOf(loaded, measurements));
    } catch (error) {
      fail(loaded.name, error);
    }
  }
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const subject of roundOrder(group.subjects, round)) {
      await attempt(round + 1, subject, async () => {
        const measurement = getMeasurement(measurements, subject.label);
        const report = await runWorker(subject.address, { type: 'measure', ...measurement.plan }, worker);
        measurement.samples.push(report.samples.map(toFourDigits));
        measurement.peakRssBytes.push(report.peakRssBytes);
      });
    }
  }
  const measured = group.cases.filter(({ name }) => !failed.has(name));
  const controlRecords = Object.fromEntries(
    [...new Set(measured.map(controlOf))].map((name) => [name, toControlRecord(name, measurements)]),
  );
  return {
    name: group.name,
    controls: controlRecords,
    cases: measured.map((loaded) => toCaseRecord(loaded, measurements, controlRecords)),
    failures: [...failed.values()],
  };
}

/** The control's second process does what its first one was calibrated to do. */
function findTwin(
  group: Group,
  subject: Subject,
  measurements: ReadonlyMap<string, Measurement>,
): Measurement | undefined {
  const sameControl = ({ address }: Subject) =>
    'control' in address && 'control' in subject.address && address.control === subject.address.control;
  const calibrated = group.subjects.find((other) => sameControl(other) && measurements.has(other.label));
  if (calibrated === undefined) return undefined;
  const { plan, result } = getMeasurement(measurements, calibrated.label);
  return { plan, result, samples: [], peakRssBytes: [] };
}

async function calibrate(subject: Subject, settings: RunSettings, worker: WorkerOptions): Promise<Measurement> {
  const { batchMs, warmupMs } = settings;
  const report = await runWorker(subject.address, { type: 'calibrate', batchMs, warmupMs }, worker);
  return { plan: planBatches(report, settings), result: report.result, samples: [], peakRssBytes: [] };
}

function resultsOf(loaded: LoadedCase, measurements: ReadonlyMap<string, Measurement>): Record<string, unknown> {
  const variants = Object.keys(loaded.definition.variants);
  return Object.fromEntries(
    variants.map((variant) => [variant, getMeasurement(measurements, subjectLabel(loaded, variant)).result]),
  );
}

function toControlRecord(name: ControlName, measurements: ReadonlyMap<string, Measurement>): ControlRecord {
  const [first, second] = ['first', 'second'].map((place) =>
    roundFigures(getMeasurement(measurements, `${name} control, ${place}`)),
  );
  if (first === undefined || second === undefined) throw new TypeError(`The control ${name} was not measured twice.`);
  const { question, unit } = controls[name];
  return { question, unit, first, second, selfRatio: medianInterval(pairedRatios(first, second)) };
}

function toCaseRecord(
  loaded: LoadedCase,
  measurements: ReadonlyMap<string, Measurement>,
  controlRecords: Readonly<Partial<Record<ControlName, ControlRecord>>>,
): CaseRecord {
  const { question, unit, unitsPerIteration = 1, variants } = loaded.definition;
  const control = controlOf(loaded);
  const controlRecord = controlRecords[control];
  if (controlRecord === undefined) throw new TypeError(`The control ${control} was not measured.`);
  const names = Object.keys(variants);
  const reference = names.includes('cadre') ? 'cadre' : (names[0] ?? '');
  const measurementOf = (variant: string) => getMeasurement(measurements, subjectLabel(loaded, variant));
  const referenceFigures = roundFigures(measurementOf(reference));
  const records = names.map((variant) => {
    const { plan, samples, peakRssBytes } = measurementOf(variant);
    const figures = roundFigures(measurementOf(variant));
    const record = {
      iterations: plan.iterations,
      samples,
      peakRssBytes,
      nanosecondsPerUnit: toFourDigits(median(figures) / unitsPerIteration),
      ratioToControl: medianInterval(pairedRatios(figures, controlFigures(controlRecord))),
      timesReference: medianInterval(pairedRatios(figures, referenceFigures)),
    };
    return [variant, record];
  });
  const { name, hash } = loaded;
  return { name, question, unit, unitsPerIteration, control, hash, reference, variants: Object.fromEntries(records) };
}

function controlOf(loaded: LoadedCase): ControlName {
  return loaded.definition.control ?? 'cpu';
}

function subjectLabel(loaded: LoadedCase, variant: string): string {
  return `${loaded.name} ${variant}`;
}

function getMeasurement(measurements: ReadonlyMap<string, Measurement>, label: string): Measurement {
  const measurement = measurements.get(label);
  if (measurement === undefined) throw new TypeError(`${label} was not calibrated.`);
  return measurement;
}

function toFailure(caseName: string, error: unknown): CaseFailure {
  const message = error instanceof Error ? error.message : String(error);
  return { case: caseName, code: error instanceof BenchError ? error.code : 'failed', message };
}

function toFourDigits(value: number): number {
  return Number(value.toPrecision(4));
}
