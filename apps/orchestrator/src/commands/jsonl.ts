/** `cadre jsonl`: whether files of JSON lines are sound, and taking out of them what is not. */
import { resolve } from 'node:path';
import { checkJsonl, type JsonlCheck, JsonlError, repairJsonl } from '@cadre/jsonl';
import { type Console, openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes, interruptionExitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { formatCount, formatNumber } from '../view/format.ts';
import { plainLine } from '../view/plain-text.ts';

export interface JsonlOptions extends SharedOptions {
  readonly checksum?: 'ignore' | 'verify' | 'require';
  /** A last line without a newline is a line like others. */
  readonly acceptTail?: boolean;
}

export interface JsonlCheckOptions extends JsonlOptions {
  /** Damaged lines that are shown of each file. */
  readonly list?: number;
}

export interface JsonlRepairOptions extends JsonlOptions {
  readonly output?: string;
}

/** Exits with 1 when any of the files is damaged. */
export function jsonlCheck(host: Host, files: readonly string[], options: JsonlCheckOptions): Promise<number> {
  const console = openConsole(host, options);
  return untilInterrupted(host, async (signal) => {
    const reports: JsonlCheck[] = [];
    let exitCode: number = exitCodes.succeeded;
    for (const file of files) {
      const path = resolve(host.directory, file);
      const report = await checkJsonl(path, { ...decoding(options), maxDamages: options.list ?? 20, signal });
      if (console.json) reports.push(report);
      else printCheck(console, file, report);
      if (!report.isSound) exitCode = exitCodes.tasksFailed;
    }
    if (console.json) console.print(JSON.stringify({ files: reports }, null, 2));
    return exitCode;
  });
}

/** Exits with 0 when the file is sound now, whatever had to be cut. */
export function jsonlRepair(host: Host, file: string, options: JsonlRepairOptions): Promise<number> {
  const { print, json, colors } = openConsole(host, options);
  return untilInterrupted(host, async (signal) => {
    const output = options.output === undefined ? {} : { output: resolve(host.directory, options.output) };
    const report = await repairJsonl(resolve(host.directory, file), { ...decoding(options), ...output, signal });
    if (json) {
      print(JSON.stringify(report, null, 2));
      return exitCodes.succeeded;
    }
    const kept = `${formatCount(report.kept, 'valid line')} kept`;
    if (report.isChanged) {
      print(
        `${colors.green('✔')} ${kept} in ${plainLine(report.output)}, ${formatCount(report.cut, 'damaged line')} cut.`,
      );
      print(`  What was cut: ${plainLine(report.cuts ?? '')}`);
      if (report.backup !== null) print(`  The old file: ${plainLine(report.backup)}`);
    } else if (options.output === undefined)
      print(`${colors.green('✔')} ${plainLine(file)} is sound and was left alone.`);
    else print(`${colors.green('✔')} ${kept} in ${plainLine(report.output)}; nothing was damaged.`);
    for (const part of report.missingParts) {
      print(`${colors.red('✖')} ${plainLine(part.path)} is missing, ${formatCount(part.byteLength, 'byte')}.`);
    }
    return exitCodes.succeeded;
  });
}

function decoding({ checksum = 'verify', acceptTail = false }: JsonlOptions) {
  return { checksum, unterminatedTail: acceptTail ? 'accept' : 'invalid' } as const;
}

function printCheck({ print, colors }: Console, file: string, report: JsonlCheck): void {
  const { isSound, parts, lines, valid, damaged, bytes, nulRuns, nulBytes, tornTail } = report;
  for (const { part, lineNumber, partByteOffset, reason, preview } of report.damages) {
    const place = `${plainLine(parts === 1 ? file : part)}:${lineNumber}`;
    print(`${colors.red('✖')} ${place} (byte ${partByteOffset}) ${reason}: ${plainLine(preview)}`);
  }
  if (report.unlistedDamages > 0) print(colors.dim(`  … ${formatCount(report.unlistedDamages, 'more damaged line')}`));
  for (const { path, byteLength } of report.missingParts) {
    print(`${colors.red('✖')} ${plainLine(path)} is missing, ${formatCount(byteLength, 'byte')}`);
  }
  for (const { path, byteLength, foundBytes } of report.misfitParts) {
    print(`${colors.red('✖')} ${plainLine(path)} is ${foundBytes} bytes long and was sealed with ${byteLength}`);
  }
  const counts = [`${formatNumber(valid)} of ${formatCount(lines, 'line')} valid`];
  if (report.blank > 0) counts.push(`${formatNumber(report.blank)} blank`);
  if (damaged > 0) counts.push(`${formatNumber(damaged)} damaged`);
  if (tornTail !== null) counts.push(`torn tail of ${formatCount(tornTail.byteLength, 'byte')}`);
  if (nulRuns > 0) counts.push(`${formatCount(nulRuns, 'run')} of NUL bytes (${formatNumber(nulBytes)})`);
  if (parts > 1) counts.push(formatCount(parts, 'part'));
  counts.push(formatCount(bytes, 'byte'));
  const verdict = isSound ? colors.green('✔') : colors.red('✖');
  print(`${verdict} ${plainLine(file)} is ${isSound ? 'sound' : 'damaged'}: ${counts.join(', ')}`);
}

/** A ctrl-C leaves no half-made files, and is no answer. */
async function untilInterrupted(host: Host, act: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const stop = new AbortController();
  let exitCode: number | undefined;
  const stopListening = host.onInterruption((interruption) => {
    exitCode ??= interruptionExitCodes[interruption];
    stop.abort();
  });
  try {
    return await act(stop.signal);
  } catch (error) {
    if (exitCode !== undefined && stop.signal.aborted) return exitCode;
    if (error instanceof JsonlError && error.code === 'JSONL_REPAIR_OUTPUT_EXISTS') {
      throw new CadreError('CADRE_FILE_EXISTS', error.message, { cause: error });
    }
    throw error;
  } finally {
    stopListening();
  }
}
