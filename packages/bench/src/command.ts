/**
 * What a verb of `cadre-bench` is: one file in `commands/`, with a table of its own options, which ends in an exit code. The
 * options that several verbs share are here, so that they are spelled and checked alike.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type CaseComparison, isRegression } from './comparison.ts';
import type { OnMissing } from './needs.ts';
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

/** By its long name, an option as `parseArgs` takes it and as the usage prints it. */
export type OptionTable = Readonly<Record<string, TextOption | SwitchOption>>;

interface TextOption {
  readonly type: 'string';
  readonly default?: string;
  /** What stands for its value in the usage: `FILE`. */
  readonly value: string;
  readonly help: string;
}

interface SwitchOption {
  readonly type: 'boolean';
  readonly default: false;
  readonly help: string;
}

/** What was typed after the verb. */
export interface Typed<Table extends OptionTable> {
  /** At most one: a package, a case, a file. */
  readonly positional: string | undefined;
  readonly values: {
    readonly [Name in keyof Table]: Table[Name] extends SwitchOption
      ? boolean
      : Table[Name] extends { readonly default: string }
        ? string
        : string | undefined;
  };
}

export interface CommandDefinition<Table extends OptionTable> {
  readonly summary: string;
  /** As the usage prints it: `[package[/case]]`. */
  readonly positional: string;
  /** Besides `folderOptions`, which each verb takes. */
  readonly options: Table;
  run(typed: Typed<Table & typeof folderOptions>, context: CommandContext): Promise<number>;
}

/** What the user typed cannot be meant: exit code 2, and the message without a stack. */
export class UsageError extends Error {}

/** Where everything is. */
export const folderOptions = {
  cases: { type: 'string', default: 'benchmarks/dist/cases', value: 'DIR', help: 'built cases' },
  baselines: { type: 'string', default: 'benchmarks/baselines', value: 'DIR', help: 'stored baselines' },
  results: { type: 'string', default: 'benchmarks/results', value: 'DIR', help: 'kept records' },
} as const satisfies OptionTable;

/** What a verb does where something that a case needs is missing. */
export const needsOptions = {
  'require-all': { type: 'boolean', default: false, help: 'leave no case out: what it needs and is missing fails it' },
} as const satisfies OptionTable;

/** How a verb measures. */
export const measuringOptions = {
  rounds: { type: 'string', value: 'N', help: 'rounds of fresh processes (11; 3 with --quick)' },
  quick: { type: 'boolean', default: false, help: 'a short look: shorter batches, 3 rounds; proves nothing' },
  out: { type: 'string', value: 'FILE', help: 'where the record is kept' },
  ...needsOptions,
} as const satisfies OptionTable;

/** A verb whose options are parsed, and told in the usage, from the one table. */
export function defineCommand<const Table extends OptionTable>(definition: CommandDefinition<Table>): Command {
  const { summary, positional, options } = definition;
  return {
    summary,
    usage: [positional, ...describeOptions(options)],
    run: async (args, context) => definition.run(parseTyped({ ...folderOptions, ...options }, args), context),
  };
}

/** A line each, with the default in brackets where the help does not say it. */
export function describeOptions(options: OptionTable): readonly string[] {
  return Object.entries(options).map(([name, option]) => {
    const typed = option.type === 'string' ? `--${name} ${option.value}` : `--${name}`;
    const byDefault = option.default ? ` (${option.default})` : '';
    return `${typed.padEnd(19)} ${option.help}${byDefault}`;
  });
}

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
  readonly onMissing: OnMissing;
  /** Where the record goes; a file named by the time in the results folder where undefined. */
  readonly outFile?: string | undefined;
}

export function resolveFolders({ cases, baselines, results }: Typed<typeof folderOptions>['values']): Folders {
  return {
    casesDirectory: resolve(cases),
    baselinesDirectory: resolve(baselines),
    resultsDirectory: resolve(results),
  };
}

export function resolveMeasuring(
  { values, positional }: Typed<typeof folderOptions & typeof measuringOptions>,
  context: CommandContext,
): MeasuringOptions {
  return {
    ...context,
    ...resolveFolders(values),
    filter: positional,
    settings: resolveSettings(values.rounds, values.quick),
    onMissing: resolveNeeds(values),
    outFile: values.out === undefined ? undefined : resolve(values.out),
  };
}

export function resolveNeeds(values: Typed<typeof needsOptions>['values']): OnMissing {
  return values['require-all'] ? 'fail' : 'leaveOut';
}

/** @throws {UsageError} when more than one package, case or file was given */
function parseTyped<Table extends OptionTable>(table: Table, args: readonly string[]): Typed<Table> {
  const options: OptionTable = table;
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const [positional, ...extra] = positionals;
  if (extra.length > 0) throw new UsageError(`One package or case at a time, not also ${extra.join(' ')}.`);
  return { positional, values: values as Typed<Table>['values'] };
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
