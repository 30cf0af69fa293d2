/**
 * Holds a new record against a stored one. What is compared is each case's ratio to its control in the same run, so
 * that the two may come from different days and machines; and nothing is called slower that might be the machine.
 */
import { compareKind } from './compare-kinds.ts';
import { type CaseComparison, notComparable } from './comparison.ts';
import type { ControlName } from './controls.ts';
import { busyShareLimit, type Environment } from './environment.ts';
import type { LoadRecord } from './kind-records.ts';
import { describeLeftOut } from './needs.ts';
import {
  type BenchmarkRecord,
  type CaseRecord,
  type ControlRecord,
  controlFigures,
  type LeftOut,
  type PackageRecord,
  roundFigures,
  type VariantRecord,
} from './record.ts';
import { type Evidence, median, medianRatioEvidence, pairedRatios } from './stats.ts';
import { describeTooFewRounds, isEqual, judgeRatio, type Verdict, verdictLimits } from './verdict.ts';

/** Of the two records, as far as the kinds depend on it: `runtimeOf` their environments. */
export interface Runtimes {
  readonly now: string;
  readonly baseline: string;
}

/**
 * Every case of either record, in the order of the new one, each judged as if it were the only one: give what all
 * packages say together to `correctForMany`.
 */
export function comparePackage(
  now: PackageRecord,
  baseline: PackageRecord,
  runtimes?: Runtimes,
): readonly CaseComparison[] {
  const leftOut = wholeCases(now);
  const storedWithout = wholeCases(baseline);
  const names = new Set([...now.cases, ...now.kinds].map(({ name }) => name));
  const gone = [...baseline.cases, ...baseline.kinds].filter(({ name }) => !names.has(name) && !leftOut.has(name));
  return [
    ...now.cases.map((entry) => {
      const before = baseline.cases.find(({ name }) => name === entry.name);
      return compareCase(
        { entry, controls: now.controls },
        before === undefined ? undefined : { entry: before, controls: baseline.controls },
      );
    }),
    ...now.kinds.map((entry) => {
      const before = baseline.kinds.find(({ name }) => name === entry.name);
      const noise = before?.kind === 'load' && entry.kind === 'load' ? findLoadNoise(entry, now, baseline) : undefined;
      const compared = compareKind(
        entry,
        before,
        { controls: now.controls, runtime: runtimes?.now },
        { controls: baseline.controls, runtime: runtimes?.baseline },
      );
      return noise === undefined || compared.outcome === 'notComparable'
        ? compared
        : { ...compared, outcome: 'tooNoisy' as const, reason: noise };
    }),
    ...[...leftOut].map(([name, entry]) => notComparable(name, describeLeftOut(entry))),
    ...gone.map(({ name }) => notComparable(name, 'It is in the baseline and was not measured now.')),
  ].map((entry) => {
    const without = storedWithout.get(entry.name);
    if (without === undefined || entry.outcome !== 'notComparable' || !names.has(entry.name)) return entry;
    return { ...entry, reason: `The baseline was stored where ${without.needs.join(' and ')} was missing.` };
  });
}

/** What bytes in memory depend on besides the code. */
export function runtimeOf({ v8, architecture }: Environment): string {
  return `${v8} on ${architecture}`;
}

/** Why a record should not be trusted at all, or undefined. Checked before a baseline is stored or compared. */
export function findNoise(record: BenchmarkRecord): string | undefined {
  const busy = describeBusy(record.environment);
  if (busy !== undefined) return busy;
  for (const { name, controls } of record.packages) {
    for (const [control, entry] of Object.entries(controls)) {
      if (!isEqual(entry.selfRatio)) return `${name}: ${describeUnequalControl(control, entry)}`;
    }
  }
  return undefined;
}

/** Undefined while the machine was calm enough when the run began. */
export function describeBusy({ busyShare }: Environment): string | undefined {
  if (busyShare <= busyShareLimit) return undefined;
  const [seen, limit] = [busyShare, busyShareLimit].map((share) => `${Math.round(share * 100)} %`);
  return `${seen} of the processor time was in use before the run began (at most ${limit}).`;
}

/** By name, those that were left out as a whole. */
function wholeCases({ leftOut }: PackageRecord): ReadonlyMap<string, LeftOut> {
  return new Map(leftOut.filter(({ variant }) => variant === undefined).map((entry) => [entry.case, entry]));
}

/** A case beside the controls of its run. */
interface Measured {
  readonly entry: CaseRecord;
  readonly controls: PackageRecord['controls'];
}

function compareCase(now: Measured, before: Measured | undefined): CaseComparison {
  const { name } = now.entry;
  if (before === undefined) return notComparable(name, 'The baseline does not have it yet.');
  if (before.entry.hash !== now.entry.hash) {
    return notComparable(name, 'The case itself changed: store a new baseline.');
  }
  const [variantNow, variantBefore] = [now, before].map(({ entry }) => entry.variants[entry.reference]);
  if (variantNow === undefined || variantBefore === undefined) {
    return notComparable(name, 'The variant it is judged by is missing.');
  }
  const evidence = changeOf(now, variantNow, before, variantBefore);
  const { estimate, low, high } = evidence;
  const change = { estimate, low, high };
  const peakRssBytes = { now: median(variantNow.peakRssBytes), baseline: median(variantBefore.peakRssBytes) };
  const noise = findCaseNoise(now) ?? findCaseNoise(before);
  if (noise !== undefined) return { name, change, peakRssBytes, outcome: 'tooNoisy', reason: noise };
  const outcome = judgeRatio(change);
  const chance = {
    slower: evidence.atOrBelow(verdictLimits.slowerAbove),
    faster: evidence.atOrAbove(verdictLimits.fasterBelow),
  };
  if (outcome !== 'inconclusive' && rivalsMovedToo(outcome, now, before)) {
    const reason = `Every rival became ${outcome} too, and none of them changed: the machine differs from the baseline's.`;
    return { name, change, peakRssBytes, outcome: 'tooNoisy', reason };
  }
  return { name, change, peakRssBytes, outcome, chance };
}

function findLoadNoise({ control }: LoadRecord, now: PackageRecord, baseline: PackageRecord): string | undefined {
  return findControlNoise(control, now.controls) ?? findControlNoise(control, baseline.controls);
}

function findCaseNoise({ entry, controls }: Measured): string | undefined {
  return findControlNoise(entry.control, controls);
}

function findControlNoise(name: ControlName, controls: PackageRecord['controls']): string | undefined {
  const control = controls[name];
  if (control === undefined) return `The control "${name}" was not measured.`;
  if (control.first.length < verdictLimits.leastRounds) {
    return describeTooFewRounds(control.first.length);
  }
  return isEqual(control.selfRatio) ? undefined : describeUnequalControl(name, control);
}

function describeUnequalControl(name: string, { selfRatio }: ControlRecord): string {
  const [low, high] = [selfRatio.low, selfRatio.high].map((value) => `${((value - 1) * 100).toFixed(1)} %`);
  return `The control "${name}" differs from itself by ${low} to ${high}; within 5 % either way is calm enough.`;
}

function rivalsMovedToo(verdict: Verdict, now: Measured, before: Measured): boolean {
  const moves = Object.entries(now.entry.variants).flatMap(([variant, after]) => {
    const earlier = before.entry.variants[variant];
    if (variant === now.entry.reference || earlier === undefined) return [];
    return [judgeRatio(changeOf(now, after, before, earlier))];
  });
  return moves.length > 0 && moves.every((move) => move === verdict);
}

function changeOf(now: Measured, variantNow: VariantRecord, before: Measured, variantBefore: VariantRecord): Evidence {
  return medianRatioEvidence(ratiosToControl(now, variantNow), ratiosToControl(before, variantBefore));
}

function ratiosToControl({ entry, controls }: Measured, variant: VariantRecord): readonly number[] {
  const control = controls[entry.control];
  return control === undefined ? [Number.NaN] : pairedRatios(roundFigures(variant), controlFigures(control));
}
