/**
 * What a verb of `cadre-bench` is: one file in `commands/`, which parses its own options and ends in an exit code. The
 * options that several verbs share are here, so that they are spelled and checked alike.
 */
import { resolve } from 'node:path';
import { type CaseComparison, isRegression } from './comparison.ts';
import type { Screen } from './progress.ts';
import type { RunOptions } from './run.ts';

/** Documented in the README. */
export const exitCodes = { done: 0, slower: 1, usage: 2, caseFailed: 3, tooNoisy: 4, interrupted: 130 } as const;

/** Of a comparison: a regression before all, and nothing that carries a verdict is "too noisy". */
export function exitCodeOf(comparisons: readonly CaseComparison[]): number {
  if (comparisons.some(isRegression)) return exitCodes.slower;
  const carriesVerdict = ({ outcome }: CaseComparison) => outcome !== 'tooNoisy' && outcome !== 'notComparable';
  return comparisons.some(carriesVerdict) ? exitCodes.done : exitCodes.tooNoisy;
}

/** What the program gives to whichever verb was typed. */
export interface CommandContext {
  readonly signal: AbortSignal;
  readonly screen: Screen;
}

export interface Command {
  /** One line of the usage. */
  readonly summary: string;
  /** What the verb takes after its name, a line each, as the usage prints it. */
  readonly usage: readonly string[];
  /** @throws {UsageError} for what the user typed */
  run(args: readonly string[], context: CommandContext): Promise<number>;
}

/** What the user typed cannot be meant: exit code 2, and the message without a stack. */
export class UsageError extends Error {}

/** For `parseArgs`: where everything is. */
export const folderOptions = {
  cases: { type: 'string', default: 'benchmarks/dist/cases' },
  baselines: { type: 'string', default: 'benchmarks/baselines' },
  results: { type: 'string', default: 'benchmarks/results' },
} as const;

/** For `parseArgs`: how a verb measures. */
export const measuringOptions = {
  rounds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  out: { type: 'string' },
} as const;

export const measuringUsage = [
  '--rounds N          rounds of fresh processes (11; 3 with --quick)',
  '--quick             a short look: shorter batches, 3 rounds; proves nothing',
  '--out FILE          where the record is kept',
] as const;

export interface Folders {
  readonly casesDirectory: string;
  readonly baselinesDirectory: string;
  readonly resultsDirectory: string;
}

/** Everything a verb that measures works with. */
export interface MeasuringOptions extends Folders, CommandContext {
  /** A package or a case; all where undefined. */
  readonly filter?: string | undefined;
  readonly settings: Pick<RunOptions, 'rounds' | 'batchMs' | 'warmupMs' | 'measureMs'>;
  /** Where the record goes; a file named by the time in the results folder where undefined. */
  readonly outFile?: string | undefined;
}

export function resolveFolders(values: {
  readonly cases: string;
  readonly baselines: string;
  readonly results: string;
}): Folders {
  return {
    casesDirectory: resolve(values.cases),
    baselinesDirectory: resolve(values.baselines),
    resultsDirectory: resolve(values.results),
  };
}

export function resolveMeasuring(
  parsed: {
    readonly positionals: readonly string[];
    readonly values: Parameters<typeof resolveFolders>[0] & {
      readonly rounds?: string;
      readonly quick: boolean;
      readonly out?: string;
    };
  },
  context: CommandContext,
): MeasuringOptions {
  const { values, positionals } = parsed;
  return {
    ...context,
    ...resolveFolders(values),
    filter: onlyPositional(positionals),
    settings: resolveSettings(values.rounds, values.quick),
    outFile: values.out === undefined ? undefined : resolve(values.out),
  };
}

/** @throws {UsageError} when more than one was given */
export function onlyPositional([first, ...extra]: readonly string[]): string | undefined {
  if (extra.length > 0) throw new UsageError(`One package or case at a time, not also ${extra.join(' ')}.`);
  return first;
}

/** @throws {UsageError} unless it is a whole number above 0 */
function parseCount(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`${option} must be a whole number above 0, not "${text}".`);
  return Number(text);
}

function resolveSettings(rounds: string | undefined, quick: boolean): MeasuringOptions['settings'] {
  const base = quick ? { rounds: 3, batchMs: 10, warmupMs: 40, measureMs: 60 } : {};
  return rounds === undefined ? base : { ...base, rounds: parseCount('--rounds', rounds) };
}
