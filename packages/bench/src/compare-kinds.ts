/**
 * The rule of each kind for what is a regression. Latencies are judged by interval; what is counted and not timed is judged
 * by exact limits, since chance has no part in it: a leak, a broken invariant and a byte are the same on every machine.
 */
import { type CaseComparison, notComparable } from './comparison.ts';
import type { KindRecord, LeakRecord, LoadRecord, MemoryRecord, ScenarioRecord, SizeRecord } from './kind-records.ts';
import type { LatencyFigure } from './kinds/load.ts';
import { controlFigures, type PackageRecord } from './record.ts';
import { type Evidence, medianRatioEvidence, pairedRatios } from './stats.ts';
import { judgeRatio } from './verdict.ts';

/** Where a record comes from, as far as its kinds depend on it. */
export interface KindSide {
  readonly controls: PackageRecord['controls'];
  /** How many bytes an object takes is V8's: `process.versions.v8` and the processor's architecture. */
  readonly runtime: string | undefined;
}

/** Of the median latency, and of the one that 1 in 100 exceeds, which varies more by itself. */
export const latencyLimits = {
  p50: { slowerAbove: 1.1, fasterBelow: 0.95 },
  p99: { slowerAbove: 1.25, fasterBelow: 0.85 },
} as const;

/** More than a change of shapes and rounding, and more than a word for each item. */
const memoryLimit = { ratio: 1.05, bytesPerItem: 8 } as const;

/** More than a fixed bug and a docstring cost. */
const sizeLimit = { ratio: 1.1, bytes: 2048 } as const;

/** One request in a hundred more that failed. */
const failedShareLimit = 0.01;

export function compareKind(
  now: KindRecord,
  before: KindRecord | undefined,
  nowSide: KindSide,
  beforeSide: KindSide,
): CaseComparison {
  const { name, kind } = now;
  if (kind === 'leak') return compareLeak(now, before?.kind === 'leak' ? before : undefined);
  if (before === undefined) return withInvariants(now, notComparable(name, 'The baseline does not have it yet.', kind));
  if (kind === 'size' && before.kind === 'size') return compareSize(now, before);
  if (before.hash !== now.hash || before.kind !== kind) {
    return withInvariants(now, notComparable(name, 'The case itself changed: store a new baseline.', kind));
  }
  if (kind === 'load' && before.kind === 'load') return compareLoad(now, before, nowSide, beforeSide);
  if (kind === 'memory' && before.kind === 'memory') return compareMemory(now, before, nowSide, beforeSide);
  if (kind === 'scenario' && before.kind === 'scenario') return compareScenario(now, before);
  return notComparable(name, 'The baseline has it as another kind.', kind);
}

function compareLoad(now: LoadRecord, before: LoadRecord, nowSide: KindSide, beforeSide: KindSide): CaseComparison {
  const { name, kind } = now;
  if (now.ratePerSecond !== before.ratePerSecond) {
    return notComparable(name, `The baseline was taken at ${before.ratePerSecond} requests a second.`, kind);
  }
  const figures = (['p50', 'p99'] as const).map((figure) => {
    const ratios = [latencyRatios(now, nowSide, figure), latencyRatios(before, beforeSide, figure)] as const;
    return { figure, limits: latencyLimits[figure], evidence: evidenceOf(ratios[0], ratios[1]) };
  });
  if (figures.some(({ evidence }) => evidence === undefined)) {
    return notComparable(name, `The control "${now.control}" was not measured beside it.`, kind);
  }
  const judged = figures.flatMap(({ figure, limits, evidence }) =>
    evidence === undefined ? [] : [{ figure, limits, evidence, verdict: judgeRatio(evidence, limits) }],
  );
  const worst =
    judged.find(({ verdict }) => verdict === 'slower') ??
    judged.find(({ verdict }) => verdict === 'faster') ??
    judged[0];
  if (worst === undefined) return notComparable(name, 'It has no latencies.', kind);
  // Two figures are two chances: each p-value counts double.
  const least = (ps: readonly number[]) => Math.min(1, 2 * Math.min(...ps));
  const { estimate, low, high } = worst.evidence;
  const comparison: CaseComparison = {
    name,
    kind,
    outcome: worst.verdict,
    change: { estimate, low, high },
    changeOf: `${worst.figure} latency`,
    chance: {
      slower: least(judged.map(({ evidence, limits }) => evidence.atOrBelow(limits.slowerAbove))),
      faster: least(judged.map(({ evidence, limits }) => evidence.atOrAbove(limits.fasterBelow))),
    },
  };
  const mixed = new Set(judged.map(({ verdict }) => verdict));
  if (!mixed.has('slower') || !mixed.has('faster')) return comparison;
  return { ...comparison, reason: 'One of the median and p99 is better, the other worse.' };
}

function latencyRatios(record: LoadRecord, { controls }: KindSide, figure: LatencyFigure): readonly number[] {
  const control = controls[record.control];
  const latencies = record.variants[record.reference]?.latency[figure];
  if (control === undefined || latencies === undefined) return [];
  return pairedRatios(latencies, controlFigures(control));
}

function evidenceOf(now: readonly number[], before: readonly number[]): Evidence | undefined {
  return now.length === 0 || before.length === 0 ? undefined : medianRatioEvidence(now, before);
}

function compareMemory(
  now: MemoryRecord,
  before: MemoryRecord,
  nowSide: KindSide,
  beforeSide: KindSide,
): CaseComparison {
  const { name, kind } = now;
  if (nowSide.runtime !== beforeSide.runtime) {
    return notComparable(name, `V8 was ${beforeSide.runtime} in the baseline and is ${nowSide.runtime}.`, kind);
  }
  const [after, earlier] = [now, before].map((record) => record.variants[record.reference]?.bytesPerItem);
  if (after === undefined || earlier === undefined) return notComparable(name, 'The judged variant is missing.', kind);
  const change = {
    estimate: after.estimate / earlier.estimate,
    low: after.low / earlier.high,
    high: after.high / earlier.low,
  };
  const base = { name, kind, change, changeOf: 'bytes per item' } as const;
  const figures = `${Math.round(after.estimate)} bytes per ${now.unit}, was ${Math.round(earlier.estimate)}`;
  if (exceeds(after.estimate, earlier.estimate) && after.low > earlier.high) {
    return { ...base, outcome: 'worse', reason: `${figures}.` };
  }
  if (exceeds(earlier.estimate, after.estimate) && after.high < earlier.low) {
    return { ...base, outcome: 'better', reason: `${figures}.` };
  }
  return { ...base, outcome: 'inconclusive' };
}

function exceeds(more: number, less: number): boolean {
  return more > less * memoryLimit.ratio && more - less > memoryLimit.bytesPerItem;
}

/** A leak is one whatever the baseline says; but only a new one is a regression of this release. */
function compareLeak(now: LeakRecord, before: LeakRecord | undefined): CaseComparison {
  const { name, kind } = now;
  const judged = now.variants[now.reference];
  const earlier = before?.variants[before.reference]?.verdict;
  if (judged === undefined) return notComparable(name, 'The judged variant is missing.', kind);
  const reason = judged.judgements.find(({ verdict }) => verdict === judged.verdict)?.reason ?? 'Its processes differ.';
  if (judged.verdict === 'inconclusive') return { name, kind, outcome: 'tooNoisy', reason };
  if (judged.verdict === 'no leak')
    return { name, kind, outcome: earlier === 'leak' ? 'better' : 'inconclusive', reason };
  if (earlier === 'leak')
    return { name, kind, outcome: 'inconclusive', reason: `${reason} So it did in the baseline.` };
  return { name, kind, outcome: 'worse', reason };
}

function compareScenario(now: ScenarioRecord, before: ScenarioRecord): CaseComparison {
  const { name, kind } = now;
  const [after, earlier] = [failedShare(now), failedShare(before)];
  const figures = `${(after * 100).toFixed(2)} % of the requests failed, ${(earlier * 100).toFixed(2)} % in the baseline.`;
  const violated = withInvariants(now, { name, kind, outcome: 'inconclusive', reason: figures });
  if (violated.outcome === 'worse') return violated;
  if (after > earlier + failedShareLimit) return { name, kind, outcome: 'worse', reason: figures };
  if (after < earlier - failedShareLimit) return { name, kind, outcome: 'better', reason: figures };
  return violated;
}

/** An invariant that does not hold is bad, whatever it is held against. */
function withInvariants(now: KindRecord, otherwise: CaseComparison): CaseComparison {
  if (now.kind !== 'scenario') return otherwise;
  const [first, ...more] = now.variants[now.reference]?.violations ?? [];
  if (first === undefined) return otherwise;
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  const reason = `${first.invariant} does not hold after ${first.phase}: ${first.message}${others}.`;
  return { name: now.name, kind: 'scenario', outcome: 'worse', reason };
}

function failedShare(record: ScenarioRecord): number {
  const phases = record.variants[record.reference]?.phases ?? [];
  const requests = phases.reduce((sum, phase) => sum + phase.requests, 0);
  return requests === 0 ? 0 : phases.reduce((sum, phase) => sum + phase.failed, 0) / requests;
}

function compareSize(now: SizeRecord, before: SizeRecord): CaseComparison {
  const { name, kind } = now;
  const weights = (record: SizeRecord) => [
    ['packed', record.size.packedBytes] as const,
    ...Object.entries(record.size.doors).map(
      ([door, { bundleBytes, distBytes }]) => [`door ${door}`, bundleBytes ?? distBytes] as const,
    ),
  ];
  const earlier = new Map(weights(before));
  const changes = weights(now).flatMap(([what, bytes]) => {
    const was = earlier.get(what);
    return was === undefined ? [] : [{ what, bytes, was }];
  });
  const grown = changes.filter(({ bytes, was }) => outweighs(bytes, was));
  const shrunk = changes.filter(({ bytes, was }) => outweighs(was, bytes));
  const ratio = now.size.packedBytes / before.size.packedBytes;
  const base = { name, kind, change: { estimate: ratio, low: ratio, high: ratio }, changeOf: 'packed bytes' } as const;
  const list = (entries: typeof changes) =>
    entries.map(({ what, bytes, was }) => `${what} ${bytes} bytes, was ${was}`).join('; ');
  if (grown.length > 0) return { ...base, outcome: 'worse', reason: `${list(grown)}.` };
  if (shrunk.length > 0) return { ...base, outcome: 'better', reason: `${list(shrunk)}.` };
  return { ...base, outcome: 'inconclusive' };
}

function outweighs(more: number, less: number): boolean {
  return more > less * sizeLimit.ratio && more - less > sizeLimit.bytes;
}
