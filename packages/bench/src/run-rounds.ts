/**
 * The rounds of one package: in each, one fresh process for every variant of every timed case and every case under load,
 * and two for every control, in an order that changes from round to round.
 */

import type { BenchmarkCase } from './case.ts';
import { referenceOf } from './case.ts';
import { type ControlName, controls } from './controls.ts';
import { assertEqualWork } from './equal-work.ts';
import type { LoadedCase } from './find-cases.ts';
import { DurationHistogram } from './histogram.ts';
import type { KindRecord, LoadRecord } from './kind-records.ts';
import { type LoadCase, type LoadRound, latencyFigures } from './kinds/load.ts';
import { type BatchPlan, planBatches } from './measure.ts';
import {
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

export type TimedCase = LoadedCase<BenchmarkCase>;
export type LoadedLoad = LoadedCase<LoadCase>;
export type RoundCase = TimedCase | LoadedLoad;

/** Keeps the failures of a package and tells of what is going on. */
export interface Observer {
  /** Before each process, also one that is left out because its case has failed. */
  onProcess(round: number, label: string): void;
  hasFailed(caseName: string): boolean;
  fail(caseName: string, error: unknown): void;
}

export interface Rounds {
  readonly controls: PackageRecord['controls'];
  readonly cases: readonly CaseRecord[];
  readonly loads: readonly KindRecord[];
}

/** One thing that is measured in every round. */
interface Subject {
  /** The case it fails with; a control has none. */
  readonly loaded: RoundCase | undefined;
  readonly label: string;
  readonly address: VariantAddress;
  readonly measurement: Measurement;
}

interface Measurement {
  result: unknown;
  plan: BatchPlan | undefined;
  readonly samples: number[][];
  readonly peakRssBytes: number[];
  readonly loads: LoadRound[];
}

/** How many processes the rounds will start, the calibrations included. */
export function countRoundProcesses(cases: readonly RoundCase[], { rounds }: RunSettings): number {
  return makeSubjects(cases).length * (rounds + 1);
}

export async function measureRounds(
  cases: readonly RoundCase[],
  settings: RunSettings,
  worker: WorkerOptions,
  observer: Observer,
): Promise<Rounds> {
  const subjects = makeSubjects(cases);
  for (const subject of subjects) {
    await attempt(0, subject, worker, observer, () => calibrate(subject, subjects, settings, worker));
  }
  for (const { name, definition } of cases) {
    if (observer.hasFailed(name)) continue;
    try {
      const variants = Object.keys(definition.variants);
      const results = variants.map((variant) => [
        variant,
        findSubject(subjects, subjectLabel(name, variant)).measurement.result,
      ]);
      assertEqualWork(name, Object.fromEntries(results));
    } catch (error) {
      observer.fail(name, error);
    }
  }
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const subject of roundOrder(subjects, round)) {
      await attempt(round + 1, subject, worker, observer, () => measureOnce(subject, settings, worker));
    }
  }
  const measured = cases.filter(({ name }) => !observer.hasFailed(name));
  const controlRecords = Object.fromEntries(
    controlsOf(measured).map((name) => [name, toControlRecord(name, subjects)]),
  );
  return {
    controls: controlRecords,
    cases: measured.filter(isTimed).map((entry) => toCaseRecord(entry, subjects, controlRecords)),
    loads: measured.filter(isLoad).map((entry) => toLoadRecord(entry, subjects)),
  };
}

export function isTimed(loaded: LoadedCase): loaded is TimedCase {
  return loaded.definition.kind === undefined || loaded.definition.kind === 'measure';
}

export function isLoad(loaded: LoadedCase): loaded is LoadedLoad {
  return loaded.definition.kind === 'load';
}

function makeSubjects(cases: readonly RoundCase[]): readonly Subject[] {
  const ofControls = controlsOf(cases).flatMap((control) =>
    (['first', 'second'] as const).map((place) => ({
      loaded: undefined,
      label: controlLabel(control, place),
      address: { control, variant: 'control' as const },
      measurement: emptyMeasurement(),
    })),
  );
  const ofCases = cases.flatMap((loaded) =>
    Object.keys(loaded.definition.variants).map((variant) => ({
      loaded,
      label: subjectLabel(loaded.name, variant),
      address: { file: loaded.file, variant },
      measurement: emptyMeasurement(),
    })),
  );
  return [...ofControls, ...ofCases];
}

function controlsOf(cases: readonly RoundCase[]): readonly ControlName[] {
  return [...new Set(cases.map(({ definition }) => definition.control ?? 'cpu'))];
}

function emptyMeasurement(): Measurement {
  return { result: undefined, plan: undefined, samples: [], peakRssBytes: [], loads: [] };
}

async function attempt(
  round: number,
  { loaded, label }: Subject,
  worker: WorkerOptions,
  observer: Observer,
  work: () => Promise<void>,
): Promise<void> {
  observer.onProcess(round, label);
  if (loaded !== undefined && observer.hasFailed(loaded.name)) return;
  try {
    await work();
  } catch (error) {
    // Without its control no case of the package means anything.
    if (worker.signal?.aborted || loaded === undefined) throw error;
    observer.fail(loaded.name, error);
  }
}

async function calibrate(
  { loaded, address, label, measurement }: Subject,
  subjects: readonly Subject[],
  settings: RunSettings,
  worker: WorkerOptions,
): Promise<void> {
  if (loaded !== undefined && isLoad(loaded)) {
    measurement.result = (await runWorker(address, { type: 'check', iterations: 100 }, worker)).result;
    return;
  }
  // The control's second process does what its first one was calibrated to do.
  const twin = loaded === undefined ? findTwin(subjects, label, address) : undefined;
  if (twin !== undefined) {
    measurement.plan = twin.measurement.plan;
    return;
  }
  const { batchMs, warmupMs } = settings;
  const report = await runWorker(address, { type: 'calibrate', batchMs, warmupMs }, worker);
  measurement.plan = planBatches(report, settings);
  measurement.result = report.result;
}

function findTwin(subjects: readonly Subject[], label: string, address: VariantAddress): Subject | undefined {
  return subjects.find(
    (other) =>
      other.label !== label &&
      'control' in other.address &&
      'control' in address &&
      other.address.control === address.control &&
      other.measurement.plan !== undefined,
  );
}

async function measureOnce(
  { loaded, address, label, measurement }: Subject,
  settings: RunSettings,
  worker: WorkerOptions,
): Promise<void> {
  if (loaded !== undefined && isLoad(loaded)) {
    const round = await runWorker(address, { type: 'load', overrides: loadTimes(loaded.definition, settings) }, worker);
    measurement.loads.push(round);
    return;
  }
  if (measurement.plan === undefined) throw new TypeError(`${label} was not calibrated.`);
  const report = await runWorker(address, { type: 'measure', ...measurement.plan }, worker);
  measurement.samples.push(report.samples.map(toFourDigits));
  measurement.peakRssBytes.push(report.peakRssBytes);
}

/** A quick look shortens a load as much as it shortens what is timed. */
export function loadTimes(
  { warmupMs = 500, durationMs = 2000 }: Pick<LoadCase, 'warmupMs' | 'durationMs'>,
  { measureMs }: RunSettings,
): { readonly warmupMs: number; readonly durationMs: number } {
  const share = Math.min(1, measureMs / 200);
  return { warmupMs: warmupMs * share, durationMs: durationMs * share };
}

function toControlRecord(name: ControlName, subjects: readonly Subject[]): ControlRecord {
  const [first, second] = (['first', 'second'] as const).map((place) =>
    roundFigures(findSubject(subjects, controlLabel(name, place)).measurement),
  );
  if (first === undefined || second === undefined) throw new TypeError(`The control ${name} was not measured twice.`);
  const { question, unit } = controls[name];
  return { question, unit, first, second, selfRatio: medianInterval(pairedRatios(first, second)) };
}

function toCaseRecord(
  { name, hash, definition }: TimedCase,
  subjects: readonly Subject[],
  controlRecords: PackageRecord['controls'],
): CaseRecord {
  const { question, unit, unitsPerIteration = 1, control = 'cpu', variants } = definition;
  const controlRecord = controlRecords[control];
  if (controlRecord === undefined) throw new TypeError(`The control ${control} was not measured.`);
  const names = Object.keys(variants);
  const reference = referenceOf(names);
  const measurementOf = (variant: string) => findSubject(subjects, subjectLabel(name, variant)).measurement;
  const referenceFigures = roundFigures(measurementOf(reference));
  const records = names.map((variant) => {
    const { plan, samples, peakRssBytes } = measurementOf(variant);
    const figures = roundFigures({ samples });
    const record = {
      iterations: plan?.iterations ?? 0,
      samples,
      peakRssBytes,
      nanosecondsPerUnit: toFourDigits(median(figures) / unitsPerIteration),
      ratioToControl: medianInterval(pairedRatios(figures, controlFigures(controlRecord))),
      timesReference: medianInterval(pairedRatios(figures, referenceFigures)),
    };
    return [variant, record];
  });
  return { name, question, unit, unitsPerIteration, control, hash, reference, variants: Object.fromEntries(records) };
}

function toLoadRecord({ name, hash, definition }: LoadedLoad, subjects: readonly Subject[]): LoadRecord {
  const { question, unit, control = 'cpu', ratePerSecond, variants } = definition;
  const names = Object.keys(variants);
  const records = names.map((variant) => {
    const { loads } = findSubject(subjects, subjectLabel(name, variant)).measurement;
    const all = new DurationHistogram();
    for (const { histogram } of loads) {
      for (const [index, nanoseconds] of histogram.nanoseconds.entries()) {
        all.add(nanoseconds, histogram.counts[index] ?? 0);
      }
    }
    const figures = Object.keys(latencyFigures) as (keyof typeof latencyFigures)[];
    const record = {
      achievedPerSecond: loads.map(({ achievedPerSecond }) => toFourDigits(achievedPerSecond)),
      latency: Object.fromEntries(figures.map((figure) => [figure, loads.map(({ latency }) => latency[figure])])),
      histogram: all.toCounts(),
    };
    return [variant, record];
  });
  return {
    kind: 'load',
    name,
    question,
    unit,
    hash,
    control,
    ratePerSecond,
    reference: referenceOf(names),
    variants: Object.fromEntries(records),
  };
}

function findSubject(subjects: readonly Subject[], label: string): Subject {
  const subject = subjects.find((entry) => entry.label === label);
  if (subject === undefined) throw new TypeError(`${label} is not measured.`);
  return subject;
}

function subjectLabel(caseName: string, variant: string): string {
  return `${caseName} ${variant}`;
}

function controlLabel(control: ControlName, place: 'first' | 'second'): string {
  return `${control} control, ${place}`;
}

function toFourDigits(value: number): number {
  return Number(value.toPrecision(4));
}
