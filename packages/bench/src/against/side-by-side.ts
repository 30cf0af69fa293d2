/**
 * Two builds of the same package in the same rounds: fresh processes of both, the order reversed from round to round, so
 * that what both share in a round cancels. First each case is held against itself (A/A): where equals come out clearly
 * different nothing more is measured, and otherwise the limits move out by as much as they differed.
 */
import { referenceOf } from '../case.ts';
import { latencyLimits } from '../compare-kinds.ts';
import { type CaseComparison, confirm, correctForMany, isRegression, notComparable } from '../comparison.ts';
import type { FoundCase } from '../find-cases.ts';
import { kindOf, loadCase } from '../find-cases.ts';
import { type BatchPlan, planBatches } from '../measure.ts';
import { type RunSettings, roundFigures } from '../record.ts';
import { roundOrder } from '../rounds.ts';
import { isLoad, isTimed, loadTimes, type RoundCase } from '../run-rounds.ts';
import { type Evidence, medianEvidence, pairedRatios } from '../stats.ts';
import {
  describeTooFewRounds,
  judgeRatio,
  sideBySideLimits,
  type VerdictLimits,
  verdictLimits,
  widenLimits,
} from '../verdict.ts';
import { runWorker, type WorkerOptions } from '../worker.ts';

/** One case, as each build runs it: the same file, with other packages beside it. */
export interface SidedCase {
  readonly now: FoundCase;
  readonly other: FoundCase;
}

export interface SideBySideOptions {
  readonly cases: readonly SidedCase[];
  readonly settings: RunSettings;
  readonly worker: WorkerOptions;
  /** What the other build is called in reasons. */
  readonly otherName: string;
  /** Before each process. */
  readonly onProcess?: (label: string, done: number, total: number) => void;
  /** When something looked worse and is measured again. */
  readonly onSuspects?: (names: readonly string[]) => void;
}

export interface SideBySideResult {
  readonly comparisons: readonly CaseComparison[];
  readonly rounds: readonly SidedRounds[];
}

/** Raw, for the record: by figure (`time`, `p50 latency`, `p99 latency`), by round, in nanoseconds. */
export interface SidedRounds {
  readonly name: string;
  readonly itself: Figures;
  readonly against: Figures;
}

/** By figure, each round of the one and of the other. */
export type Figures = Readonly<
  Record<string, { readonly first: readonly number[]; readonly second: readonly number[] }>
>;

/** Both sides can run it, and what a batch is has been settled. */
interface Runnable {
  readonly now: RoundCase;
  readonly other: RoundCase;
  readonly variant: string;
  readonly plan: BatchPlan | undefined;
}

type Pair = readonly [first: RoundCase, second: RoundCase];

/** Timed cases and cases under load; the other kinds need no rounds. Rejects with `signal.reason` when aborted. */
export async function compareSideBySide(options: SideBySideOptions): Promise<SideBySideResult> {
  const { cases, settings, worker } = options;
  const progress = counting(options, cases.length * (2 + 4 * settings.rounds));
  const refused: CaseComparison[] = [];
  const runnable: Runnable[] = [];
  for (const sided of cases) {
    const prepared = await prepare(sided, options, progress);
    if ('outcome' in prepared) refused.push(prepared);
    else runnable.push(prepared);
  }
  const itself = await measurePairs(runnable, ({ now }) => [now, now], settings, worker, progress);
  const steady = runnable.filter(({ now }) => !differsFromItself(itself.get(now.name) ?? {}));
  const unsteady = runnable.filter((entry) => !steady.includes(entry));
  const against = await measurePairs(steady, ({ now, other }) => [now, other], settings, worker, progress);
  const judge = (figures: ReadonlyMap<string, Figures>) => (entry: Runnable) =>
    judgeSides(entry, itself.get(entry.now.name) ?? {}, figures.get(entry.now.name) ?? {});
  const first = correctForMany(steady.map(judge(against)));
  const suspects = steady.filter(({ now }) => first.some((entry) => entry.name === now.name && isRegression(entry)));
  let confirmed: readonly CaseComparison[] = [];
  if (suspects.length > 0) {
    options.onSuspects?.(suspects.map(({ now }) => now.name));
    const again = await measurePairs(suspects, ({ now, other }) => [now, other], settings, worker, progress);
    confirmed = correctForMany(suspects.map(judge(again)));
  }
  return {
    comparisons: [
      ...first.map((entry) => confirm(entry, confirmed)),
      ...unsteady.map(({ now }) => describeUnsteady(now, itself.get(now.name) ?? {})),
      ...refused,
    ],
    rounds: steady.map(({ now }) => ({
      name: now.name,
      itself: itself.get(now.name) ?? {},
      against: against.get(now.name) ?? {},
    })),
  };
}

/** The verdict from the paired ratios of first over second, each figure with its own limits. */
export function judgeSides(
  { now }: { readonly now: Pick<RoundCase, 'name' | 'definition'> },
  itself: Figures,
  against: Figures,
): CaseComparison {
  const { name } = now;
  const kind = kindOf(now.definition);
  const rounds = countRounds(against);
  if (rounds < verdictLimits.leastRounds) {
    return { name, kind, outcome: 'tooNoisy', reason: describeTooFewRounds(rounds) };
  }
  const judged = Object.entries(against).map(([figure, sides]) => {
    const evidence = evidenceOf(sides);
    const own = itself[figure];
    const limits = own === undefined ? limitsOf(figure) : widenLimits(limitsOf(figure), evidenceOf(own));
    const chance = { slower: evidence.atOrBelow(limits.slowerAbove), faster: evidence.atOrAbove(limits.fasterBelow) };
    const verdict = judgeRatio(evidence, limits);
    const drowned = verdict === 'inconclusive' && judgeRatio(evidence, limitsOf(figure)) !== 'inconclusive';
    return { figure, evidence, chance, verdict, drowned };
  });
  const worst =
    judged.find(({ verdict }) => verdict === 'slower') ??
    judged.find(({ verdict }) => verdict === 'faster') ??
    judged[0];
  if (worst === undefined) return notComparable(name, 'Nothing was measured.', kind);
  const least = (ps: readonly number[]) => Math.min(1, ps.length * Math.min(...ps));
  const { estimate, low, high } = worst.evidence;
  const base = { name, kind, change: { estimate, low, high }, changeOf: worst.figure } as const;
  if (worst.verdict === 'inconclusive' && judged.some(({ drowned }) => drowned)) {
    return { ...base, outcome: 'tooNoisy', reason: 'What it changed by is within what it differs from itself by.' };
  }
  return {
    ...base,
    outcome: worst.verdict,
    chance: {
      slower: least(judged.map(({ chance }) => chance.slower)),
      faster: least(judged.map(({ chance }) => chance.faster)),
    },
  };
}

function limitsOf(figure: string): VerdictLimits {
  if (figure === 'p50 latency') return latencyLimits.p50;
  return figure === 'p99 latency' ? latencyLimits.p99 : sideBySideLimits;
}

function countRounds(figures: Figures): number {
  return Math.min(...Object.values(figures).map(({ first }) => first.length));
}

function evidenceOf({ first, second }: Figures[string]): Evidence {
  return medianEvidence(pairedRatios(first, second));
}

/**
 * Whether equals came out more than 5 % apart (or by more than a figure's own limit): then nothing can be proven. Too few
 * rounds can't tell.
 */
export function differsFromItself(figures: Figures): boolean {
  if (countRounds(figures) < verdictLimits.leastRounds) return false;
  return Object.entries(figures).some(([figure, sides]) => {
    const { slowerAbove } = limitsOf(figure);
    const beyond = Math.max(1.05, slowerAbove);
    const limits = { slowerAbove: beyond, fasterBelow: 2 - beyond };
    return judgeRatio(evidenceOf(sides), limits) !== 'inconclusive';
  });
}

function describeUnsteady(now: RoundCase, itself: Figures): CaseComparison {
  const ranges = Object.entries(itself).map(([figure, sides]) => {
    const { low, high } = evidenceOf(sides);
    return `${figure} by ${((low - 1) * 100).toFixed(1)} to ${((high - 1) * 100).toFixed(1)} %`;
  });
  const reason = `It differs from itself: ${ranges.join(', ')}. Wait for a quieter machine, or take more rounds.`;
  return { name: now.name, kind: kindOf(now.definition), outcome: 'tooNoisy', reason };
}

async function prepare(
  { now, other }: SidedCase,
  { settings, worker, otherName }: SideBySideOptions,
  onProcess: (label: string) => void,
): Promise<Runnable | CaseComparison> {
  const { name } = now;
  const attempt = async (side: string, found: FoundCase) => {
    onProcess(`${name}, ${side}`);
    const loaded = await loadCase(found);
    if (!isTimed(loaded) && !isLoad(loaded)) throw new TypeError(`${name} is of kind ${kindOf(loaded.definition)}.`);
    const variant = referenceOf(Object.keys(loaded.definition.variants));
    const address = { file: loaded.file, variant };
    if (isLoad(loaded)) {
      await runWorker(address, { type: 'check', iterations: 100 }, worker);
      return { loaded, variant, plan: undefined };
    }
    const { batchMs, warmupMs } = settings;
    const report = await runWorker(address, { type: 'calibrate', batchMs, warmupMs }, worker);
    return { loaded, variant, plan: planBatches(report, settings) };
  };
  try {
    const { loaded, variant, plan } = await attempt('now', now);
    try {
      return { now: loaded, other: (await attempt(otherName, other)).loaded, variant, plan };
    } catch (error) {
      worker.signal?.throwIfAborted();
      return notComparable(name, `The build of ${otherName} can't run it: ${firstLine(error)}`);
    }
  } catch (error) {
    worker.signal?.throwIfAborted();
    return notComparable(name, `It can't be measured now: ${firstLine(error)}`);
  }
}

async function measurePairs(
  entries: readonly Runnable[],
  pairOf: (entry: Runnable) => Pair,
  settings: RunSettings,
  worker: WorkerOptions,
  onProcess: (label: string) => void,
): Promise<ReadonlyMap<string, Figures>> {
  const subjects = entries.flatMap((entry) => {
    const [first, second] = pairOf(entry);
    return [
      { entry, loaded: first, side: 'first' as const },
      { entry, loaded: second, side: 'second' as const },
    ];
  });
  const figures = new Map<string, Record<string, { first: number[]; second: number[] }>>();
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const { entry, loaded, side } of roundOrder(subjects, round)) {
      onProcess(`${loaded.name}, round ${round + 1}`);
      const measured = await measureOnce(entry, loaded, settings, worker);
      const ofCase = figures.get(loaded.name) ?? {};
      figures.set(loaded.name, ofCase);
      for (const [figure, nanoseconds] of Object.entries(measured)) {
        ofCase[figure] ??= { first: [], second: [] };
        ofCase[figure][side].push(nanoseconds);
      }
    }
  }
  return figures;
}

async function measureOnce(
  { variant, plan }: Runnable,
  loaded: RoundCase,
  settings: RunSettings,
  worker: WorkerOptions,
): Promise<Readonly<Record<string, number>>> {
  const address = { file: loaded.file, variant };
  if (plan === undefined) {
    const overrides = loadTimes({ ...loaded.definition } as Parameters<typeof loadTimes>[0], settings);
    const { latency } = await runWorker(address, { type: 'load', overrides }, worker);
    return { 'p50 latency': latency.p50, 'p99 latency': latency.p99 };
  }
  const { samples } = await runWorker(address, { type: 'measure', ...plan }, worker);
  const [time = Number.NaN] = roundFigures({ samples: [samples] });
  return { time };
}

function counting({ onProcess }: SideBySideOptions, total: number): (label: string) => void {
  let done = 0;
  return (label) => onProcess?.(label, Math.min(done++, total), total);
}

/** Of what went wrong. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? message;
}
