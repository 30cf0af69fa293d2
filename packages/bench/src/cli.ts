#!/usr/bin/env node
/** `cadre-bench`: from the command line to a verb, its options and the exit code. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  baselineCommand,
  type CommandOptions,
  compareCommand,
  exitCodes,
  reportCommand,
  runCommand,
} from './commands.ts';
import { BenchError } from './errors.ts';
import type { Screen } from './progress.ts';

const usage = `Usage: cadre-bench <command> [package[/case]] [options]

  run       measure the cases beside their rivals and keep a record
  compare   measure the cases and hold them against the stored baselines
  baseline  measure the cases and store the baselines
  report    print a kept record (the newest, or the file named)

Options
  --rounds N          rounds of fresh processes (11; 3 with --quick)
  --quick             a short look: shorter batches, 3 rounds; proves nothing
  --out FILE          where run and compare keep the record
  --from FILE         baseline: store this kept record instead of measuring
  --force             baseline: store it although the machine was noisy
  --format FORMAT     report: terminal (default), markdown or json
  --cases DIR         built cases (benchmarks/dist/cases)
  --baselines DIR     stored baselines (benchmarks/baselines)
  --results DIR       kept records (benchmarks/results)
  --help, --version

Exit codes: 0 done (also: inconclusive, too noisy) · 1 compare: proven slower · 2 wrong use, nothing to compare
            3 a case could not be measured · 4 baseline: too noisy, nothing stored · 130 interrupted
`;

/** Thrown and caught in this file, for what the user typed. */
class UsageError extends Error {}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(parse(args));
  } catch (error) {
    if (interruption.signal.aborted) return exitCodes.interrupted;
    const known = error instanceof BenchError || isUsageError(error);
    process.stderr.write(`${known && error instanceof Error ? error.message : inFull(error)}\n`);
    return isUsageError(error) ? exitCodes.usage : exitCodes.caseFailed;
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      from: { type: 'string' },
      force: { type: 'boolean', default: false },
      format: { type: 'string', default: 'terminal' },
      cases: { type: 'string', default: 'benchmarks/dist/cases' },
      baselines: { type: 'string', default: 'benchmarks/baselines' },
      results: { type: 'string', default: 'benchmarks/results' },
      help: { type: 'boolean', default: false },
      version: { type: 'boolean', default: false },
    },
  });
}

async function dispatch({ values, positionals }: ReturnType<typeof parse>): Promise<number> {
  const [command, filter, ...extra] = positionals;
  if (values.help) return print(usage);
  if (values.version) return print(`${readVersion()}\n`);
  if (command === undefined) throw new UsageError(`Say what to do.\n\n${usage}`);
  if (extra.length > 0) throw new UsageError(`One package or case at a time, not also ${extra.join(' ')}.`);
  const options: CommandOptions = {
    filter,
    casesDirectory: resolve(values.cases),
    baselinesDirectory: resolve(values.baselines),
    resultsDirectory: resolve(values.results),
    settings: resolveSettings(values.rounds, values.quick),
    signal: interruption.signal,
    screen: processScreen(),
    outFile: values.out === undefined ? undefined : resolve(values.out),
  };
  switch (command) {
    case 'run':
      return runCommand(options);
    case 'compare':
      return compareCommand(options);
    case 'baseline': {
      if (values.quick) throw new UsageError('A baseline is not measured quickly: leave --quick out.');
      const fromFile = values.from === undefined ? undefined : resolve(values.from);
      return baselineCommand({ ...options, fromFile, force: values.force });
    }
    case 'report': {
      const file = filter === undefined ? undefined : resolve(filter);
      return reportCommand({ ...options, file, format: parseFormat(values.format) });
    }
    default:
      throw new UsageError(`There is no command "${command}".\n\n${usage}`);
  }
}

function resolveSettings(rounds: string | undefined, quick: boolean): CommandOptions['settings'] {
  if (rounds !== undefined && !/^[1-9]\d*$/.test(rounds)) {
    throw new UsageError(`--rounds must be a whole number above 0, not "${rounds}".`);
  }
  const base = quick ? { rounds: 3, batchMs: 10, warmupMs: 40, measureMs: 60 } : {};
  return rounds === undefined ? base : { ...base, rounds: Number(rounds) };
}

function parseFormat(format: string): 'terminal' | 'markdown' | 'json' {
  if (format === 'terminal' || format === 'markdown' || format === 'json') return format;
  throw new UsageError(`--format must be terminal, markdown or json, not "${format}".`);
}

function processScreen(): Screen {
  const { stdout } = process;
  return {
    isTerminal: stdout.isTTY === true,
    columns: stdout.columns > 0 ? stdout.columns : 80,
    write: (text) => stdout.write(text),
  };
}

function print(text: string): number {
  process.stdout.write(text);
  return exitCodes.done;
}

function readVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return manifest.version;
}

function isUsageError(error: unknown): boolean {
  if (error instanceof UsageError || error instanceof RangeError) return true;
  if (error instanceof BenchError) return /_(NOT_FOUND|RECORD_INVALID)$/.test(error.code);
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

function inFull(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
