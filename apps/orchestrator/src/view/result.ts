/**
 * What a run was for, as text. A result that is an object may say how it wants to be shown: `headline` (a text), `table`
 * (`{ columns, rows }`) and `files` (name to absolute path); anything else is shown as it is, up to a bound.
 */
import { isAbsolute, relative, sep } from 'node:path';
import type { JsonValue } from '@cadre/workflow';
import type { Colors } from './colors.ts';
import { padEnd, plainLine, plainLines, truncate, widthOf } from './plain-text.ts';
import { type Table, tableLines } from './table.ts';

export interface ResultOptions {
  readonly columns: number;
  readonly colors: Colors;
  /** Paths below it are shown from here. */
  readonly directory: string;
}

const mostLines = 40;

export function resultLines(output: JsonValue, options: ResultOptions): readonly string[] {
  const { headline, table, files } = shownParts(output);
  if (headline === undefined && table === undefined && files.length === 0) return wholeOutput(output, options);
  const blocks: (readonly string[])[] = [];
  if (headline !== undefined) blocks.push([options.colors.bold(truncate(plainLine(headline), options.columns))]);
  if (table !== undefined) blocks.push(bounded(tableLines(table, options.columns, options.colors)));
  if (files.length > 0) blocks.push(fileLines(files, options.directory));
  return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

/** The files that a result names, by name. */
export function resultFiles(output: JsonValue): readonly (readonly [name: string, path: string])[] {
  return shownParts(output).files;
}

/** A path as it is shorter to type. */
export function shownPath(path: string, directory: string): string {
  const below = relative(directory, path);
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below) ? below : path;
}

interface ShownParts {
  readonly headline: string | undefined;
  readonly table: Table | undefined;
  readonly files: readonly (readonly [name: string, path: string])[];
}

function shownParts(output: JsonValue): ShownParts {
  if (!isRecord(output)) return { headline: undefined, table: undefined, files: [] };
  const { headline, table, files } = output;
  return {
    headline: typeof headline === 'string' && headline.trim() !== '' ? headline : undefined,
    table: isTable(table) ? table : undefined,
    files: isRecord(files)
      ? Object.entries(files).flatMap(([name, path]) =>
          typeof path === 'string' && isAbsolute(path) ? [[plainLine(name), plainLine(path)] as const] : [],
        )
      : [],
  };
}

function wholeOutput(output: JsonValue, { columns }: ResultOptions): readonly string[] {
  if (output === null || output === '') return [];
  const text = typeof output === 'string' ? output : (JSON.stringify(output, null, 2) ?? '');
  return bounded(plainLines(text)).map((line) => truncate(line, columns));
}

function fileLines(files: ShownParts['files'], directory: string): readonly string[] {
  const width = Math.max(...files.map(([name]) => widthOf(name)));
  return files.map(([name, path]) => `${padEnd(name, width)}  ${shownPath(path, directory)}`);
}

function bounded(lines: readonly string[]): readonly string[] {
  if (lines.length <= mostLines) return lines;
  return [...lines.slice(0, mostLines), `… and ${lines.length - mostLines} more lines`];
}

function isTable(value: JsonValue | undefined): value is JsonValue & Table {
  return (
    isRecord(value) &&
    Array.isArray(value.columns) &&
    value.columns.length > 0 &&
    value.columns.every((column) => typeof column === 'string') &&
    Array.isArray(value.rows) &&
    value.rows.every(
      (row) => Array.isArray(row) && row.every((cell) => typeof cell === 'string' || typeof cell === 'number'),
    )
  );
}

function isRecord(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
