#!/usr/bin/env node
/** `cadre-bench`: from the command line to a verb and the exit code. Each verb is a file in `commands/`. */
import { readFileSync } from 'node:fs';
import { type Command, describeOptions, exitCodes, folderOptions, UsageError } from './command.ts';
import { baselineCommand } from './commands/baseline.ts';
import { checkCommand } from './commands/check.ts';
import { compareCommand } from './commands/compare.ts';
import { reportCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';
import { workloadCommand } from './commands/workload.ts';
import { BenchError } from './errors.ts';
import type { Screen } from './progress.ts';

const commands: Readonly<Record<string, Command>> = {
  run: runCommand,
  compare: compareCommand,
  baseline: baselineCommand,
  report: reportCommand,
  check: checkCommand,
  workload: workloadCommand,
};

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    if (interruption.signal.aborted) return exitCodes.interrupted;
    const known = error instanceof BenchError || isUsageError(error);
    process.stderr.write(`${known && error instanceof Error ? error.message : inFull(error)}\n`);
    return isUsageError(error) ? exitCodes.usage : exitCodes.caseFailed;
  }
}

async function dispatch([name, ...args]: readonly string[]): Promise<number> {
  if (name === '--help') return print(usage());
  if (name === '--version') return print(`${readVersion()}\n`);
  if (name === undefined) throw new UsageError(`Say what to do.\n\n${usage()}`);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new UsageError(`There is no command "${name}".\n\n${usage()}`);
  if (args.includes('--help')) return print(commandUsage(name, command));
  return command.run(args, { signal: interruption.signal, screen: processScreen() });
}

function usage(): string {
  const verbs = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`);
  return `Usage: cadre-bench <command> [options]

${verbs.join('\n')}

  cadre-bench <command> --help says what a command takes. Each takes also
${describeOptions(folderOptions)
  .map((line) => `  ${line}`)
  .join('\n')}

Exit codes: 0 done (also: inconclusive) · 1 compare: proven slower · 2 wrong use, nothing to compare
            3 a case could not be measured · 4 too noisy · 130 interrupted
`;
}

function commandUsage(name: string, { summary, usage: [positional = '', ...options] }: Command): string {
  const lines = options.map((option) => `  ${option}\n`);
  return `Usage: cadre-bench ${name} ${positional} [options]\n\n  ${summary}\n\n${lines.join('')}`;
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
