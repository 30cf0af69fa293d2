/** The kinds that need no rounds: memory, leaks, scenarios and sizes, each in processes of its own, one after the other. */
import { referenceOf } from './case.ts';
import { assertEqualWork } from './equal-work.ts';
import type { AnyCase, LoadedCase } from './find-cases.ts';
import type { KindRecord, LeakRecord, MemoryRecord, ScenarioRecord } from './kind-records.ts';
import { agreeOnLeak, judgeLeak, type LeakCase, type LeakSeries } from './kinds/leak.ts';
import { fitMemory, type MemoryCase, type MemoryPoint } from './kinds/memory.ts';
import { longestScenario, type ScenarioCase, type ScenarioRun } from './kinds/scenario.ts';
import { measureSize } from './kinds/size.ts';
import type { RunSettings } from './record.ts';
import { roundOrder } from './rounds.ts';
import type { Observer } from './run-rounds.ts';
import { runWorker, type WorkerOptions } from './worker.ts';

type OtherCase = Extract<AnyCase, { readonly kind: 'memory' | 'leak' | 'scenario' | 'size' }>;
export type LoadedOther = LoadedCase<OtherCase>;

/** Processes for each size of a memory case, and for a leak: what they agree on is not one process's luck. */
const repeats = 3;

export function isOther(loaded: LoadedCase): loaded is LoadedOther {
  return ['memory', 'leak', 'scenario', 'size'].includes(loaded.definition.kind ?? 'measure');
}

export function countKindProcesses(cases: readonly LoadedOther[], settings: RunSettings): number {
  const ofOne = ({ definition }: LoadedOther) => {
    if (definition.kind === 'size') return 1;
    const variants = Object.keys(definition.variants).length;
    if (definition.kind === 'memory') return variants * definition.sizes.length * repeats;
    return definition.kind === 'leak' ? variants * leakProcesses(settings) : variants;
  };
  return cases.reduce((sum, loaded) => sum + ofOne(loaded), 0);
}

/** A case that fails is left out, and its failure is the observer's. */
export async function measureKinds(
  cases: readonly LoadedOther[],
  settings: RunSettings,
  worker: WorkerOptions,
  observer: Observer,
): Promise<readonly KindRecord[]> {
  const records: KindRecord[] = [];
  for (const loaded of cases) {
    if (observer.hasFailed(loaded.name)) continue;
    try {
      records.push(await measureKind(loaded, settings, worker, observer));
    } catch (error) {
      if (worker.signal?.aborted) throw error;
      observer.fail(loaded.name, error);
    }
  }
  return records;
}

async function measureKind(
  loaded: LoadedOther,
  settings: RunSettings,
  worker: WorkerOptions,
  observer: Observer,
): Promise<KindRecord> {
  const { name, hash, file, definition } = loaded;
  switch (definition.kind) {
    case 'memory':
      return measureMemoryCase({ ...loaded, definition }, worker, observer);
    case 'leak':
      return measureLeakCase({ ...loaded, definition }, settings, worker, observer);
    case 'scenario':
      return measureScenarioCase({ ...loaded, definition }, worker, observer);
    case 'size': {
      observer.onProcess(1, name);
      const { question, unit, packageName } = definition;
      const size = await measureSize(definition, file, worker.signal);
      return { kind: 'size', name, question, unit, hash, packageName, size };
    }
  }
}

async function measureMemoryCase(
  { name, hash, file, definition }: LoadedCase<MemoryCase>,
  worker: WorkerOptions,
  observer: Observer,
): Promise<MemoryRecord> {
  const { question, unit, sizes } = definition;
  if (new Set(sizes).size < 3) throw new RangeError(`${name}: sizes must hold at least three numbers of items.`);
  const names = Object.keys(definition.variants);
  const points = new Map<string, MemoryPoint[]>(names.map((variant) => [variant, []]));
  const subjects = names.flatMap((variant) => sizes.map((items) => ({ variant, items })));
  const results = new Map<number, Record<string, unknown>>();
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const { variant, items } of roundOrder(subjects, repeat)) {
      observer.onProcess(repeat + 1, `${name} ${variant}, ${items}`);
      const { result, ...point } = await runWorker({ file, variant }, { type: 'memory', items }, worker);
      points.get(variant)?.push(point);
      results.set(items, { ...results.get(items), [variant]: result });
    }
  }
  for (const result of results.values()) assertEqualWork(name, result);
  const variants = names.map((variant) => {
    const ofVariant = points.get(variant) ?? [];
    const { slope, intercept } = fitMemory(ofVariant);
    const record = {
      items: ofVariant.map(({ items }) => items),
      heapBytes: ofVariant.map(({ heapBytes }) => heapBytes),
      externalBytes: ofVariant.map(({ externalBytes }) => externalBytes),
      arrayBufferBytes: ofVariant.map(({ arrayBufferBytes }) => arrayBufferBytes),
      bytesPerItem: slope,
      fixedBytes: Math.round(intercept),
    };
    return [variant, record];
  });
  const reference = referenceOf(names);
  return { kind: 'memory', name, question, unit, hash, reference, variants: Object.fromEntries(variants) };
}

async function measureLeakCase(
  { name, hash, file, definition }: LoadedCase<LeakCase>,
  settings: RunSettings,
  worker: WorkerOptions,
  observer: Observer,
): Promise<LeakRecord> {
  const { question, unit, toleratedBytesPerCycle = 8 } = definition;
  const names = Object.keys(definition.variants);
  const series = new Map<string, LeakSeries[]>(names.map((variant) => [variant, []]));
  const results: Record<string, unknown> = {};
  for (let repeat = 0; repeat < leakProcesses(settings); repeat += 1) {
    for (const variant of roundOrder(names, repeat)) {
      observer.onProcess(repeat + 1, `${name} ${variant}`);
      const { result, ...one } = await runWorker({ file, variant }, { type: 'leak' }, worker);
      series.get(variant)?.push(one);
      results[variant] = result;
    }
  }
  assertEqualWork(name, results);
  const variants = names.map((variant) => {
    const ofVariant = series.get(variant) ?? [];
    const judgements = ofVariant.map((one) => judgeLeak(one, toleratedBytesPerCycle));
    const verdict = agreeOnLeak(judgements.map((judgement) => judgement.verdict));
    return [variant, { verdict, series: ofVariant, judgements }];
  });
  return {
    kind: 'leak',
    name,
    question,
    unit,
    hash,
    toleratedBytesPerCycle,
    reference: referenceOf(names),
    variants: Object.fromEntries(variants),
  };
}

/** With fewer rounds than can prove anything one process will do. */
function leakProcesses({ rounds }: RunSettings): number {
  return rounds < 5 ? 1 : repeats;
}

async function measureScenarioCase(
  { name, hash, file, definition }: LoadedCase<ScenarioCase>,
  worker: WorkerOptions,
  observer: Observer,
): Promise<ScenarioRecord> {
  const { question, unit } = definition;
  const names = Object.keys(definition.variants);
  const runs: [string, ScenarioRun][] = [];
  const timeoutMs = worker.timeoutMs + longestScenario(definition);
  for (const variant of names) {
    observer.onProcess(1, `${name} ${variant}`);
    runs.push([variant, await runWorker({ file, variant }, { type: 'scenario' }, { ...worker, timeoutMs })]);
  }
  const reference = referenceOf(names);
  return { kind: 'scenario', name, question, unit, hash, reference, variants: Object.fromEntries(runs) };
}
