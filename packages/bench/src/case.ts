/**
 * The contract between a question and the ruler. A case asks one question; each variant answers it with another
 * library; `validate` and the comparison of all results make sure that they did the same work.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { ControlName } from './controls.ts';
import { BenchError } from './errors.ts';

/** What a variant gets to work with. */
export interface CaseContext {
  /** An empty folder of this process alone, removed afterwards; on the disk that the benchmark is about. */
  readonly directory: string;
}

/** A variant that is ready to be timed. What it opened in preparation is not part of the time. */
export interface PreparedVariant<Result> {
  /**
   * Does the work `iterations` times and returns a summary of it as plain JSON: counts and sums that differ when the
   * work differs, and that cost nothing beside it. May be called any number of times.
   */
  run(iterations: number): Result | Promise<Result>;
  close?(): void | Promise<void>;
}

/** Loads its library (by a dynamic `import`, so that no other variant's process pays for it) and prepares the work. */
export type Variant<Result> = (
  context: CaseContext,
) => PreparedVariant<NoInfer<Result>> | Promise<PreparedVariant<NoInfer<Result>>>;

export interface BenchmarkCase<Result = unknown> {
  /** In one sentence, what the figure answers. */
  readonly question: string;
  /** What the figure is counted per: `record`, `append`, `process`. */
  readonly unit: string;
  /** How many units one iteration is. @default 1 */
  readonly unitsPerIteration?: number;
  /** What the case is bound by, so that its figure can be held against another machine's. @default 'cpu' */
  readonly control?: ControlName;
  /** Throws unless `result` is exactly what `iterations` iterations must give. */
  validate(result: Result, iterations: number): void;
  /** By name. `cadre` (or the first, where there is none) is what the others are held against. */
  readonly variants: Readonly<Record<string, Variant<Result>>>;
}

/** A case on disk: `<directory>/<package>/<question>.js`. */
export interface FoundCase {
  readonly packageName: string;
  /** `<package>/<question>` */
  readonly name: string;
  readonly file: string;
}

export interface LoadedCase extends FoundCase {
  /** Of the case's built file, which names the chunks it shares by their content: it changes when the work may have. */
  readonly hash: string;
  readonly definition: BenchmarkCase;
}

/** Returns the definition as it is; for its types. */
export function defineCase<Result>(definition: BenchmarkCase<Result>): BenchmarkCase<Result> {
  return definition;
}

/**
 * The cases below a folder, by name.
 * @param filter  a package (`jsonl`), a case (`jsonl/read-file`), or undefined for all
 * @throws {BenchError} BENCH_CASE_NOT_FOUND when nothing matches or the folder does not exist
 */
export async function findCases(directory: string, filter?: string): Promise<readonly FoundCase[]> {
  const files = await readdir(directory, { recursive: true }).catch((cause: unknown) => {
    throw new BenchError('BENCH_CASE_NOT_FOUND', `No folder of cases at ${directory}: build them first.`, { cause });
  });
  const all = files.flatMap((path) => toFoundCase(directory, join(directory, path))).sort(byName);
  const found = all.filter(
    ({ name, packageName }) => filter === undefined || filter === name || filter === packageName,
  );
  if (found.length === 0) {
    const known = all.map(({ name }) => name).join(', ') || 'none';
    throw new BenchError('BENCH_CASE_NOT_FOUND', `No case ${filter ?? ''} below ${directory}. There are: ${known}.`);
  }
  return found;
}

/** @throws {BenchError} BENCH_CASE_INVALID when the file's default export is not a case */
export async function loadCase(found: FoundCase): Promise<LoadedCase> {
  const module: { default?: unknown } = await import(pathToFileURL(found.file).href);
  if (!isCase(module.default)) {
    const rule = 'the default export must be { question, unit, validate, variants }';
    throw new BenchError('BENCH_CASE_INVALID', `${found.file} is not a benchmark case: ${rule}.`);
  }
  const hash = createHash('sha256')
    .update(await readFile(found.file))
    .digest('hex');
  return { ...found, hash, definition: module.default };
}

/**
 * Runs every variant of a case in this process, `iterations` times, untimed: what CI does with a case.
 * @throws what `validate` throws, or {BenchError} BENCH_UNEQUAL_WORK when two variants' results differ
 */
export async function checkCase(
  name: string,
  definition: BenchmarkCase,
  options: { readonly iterations: number; directoryFor(variant: string): Promise<string> },
): Promise<void> {
  const results: Record<string, unknown> = {};
  for (const [variant, prepare] of Object.entries(definition.variants)) {
    const prepared = await prepare({ directory: await options.directoryFor(variant) });
    try {
      results[variant] = await prepared.run(options.iterations);
      definition.validate(results[variant], options.iterations);
    } finally {
      await prepared.close?.();
    }
  }
  assertEqualWork(name, results);
}

/** @throws {BenchError} BENCH_UNEQUAL_WORK when the variants' results, by variant, differ */
export function assertEqualWork(caseName: string, results: Readonly<Record<string, unknown>>): void {
  const [first, ...others] = Object.entries(results);
  for (const [variant, result] of others) {
    if (first === undefined || isDeepStrictEqual(asJson(result), asJson(first[1]))) continue;
    throw new BenchError(
      'BENCH_UNEQUAL_WORK',
      `${caseName}: ${variant} did other work than ${first[0]}: ` +
        `${JSON.stringify(result)} against ${JSON.stringify(first[1])}. Make them equal before timing them.`,
    );
  }
}

function toFoundCase(directory: string, file: string): readonly FoundCase[] {
  const [packageName, question, ...deeper] = relative(directory, file).split(sep);
  if (packageName === undefined || question === undefined || deeper.length > 0) return [];
  if (!/\.(js|mjs|ts)$/.test(question) || /\.(test|d)\.ts$/.test(question)) return [];
  return [{ packageName, name: `${packageName}/${question.replace(/\.\w+$/, '')}`, file }];
}

function byName(left: FoundCase, right: FoundCase): number {
  return left.name < right.name ? -1 : 1;
}

function isCase(value: unknown): value is BenchmarkCase {
  if (typeof value !== 'object' || value === null) return false;
  if (!('question' in value && 'unit' in value && 'validate' in value && 'variants' in value)) return false;
  if (typeof value.question !== 'string' || typeof value.unit !== 'string') return false;
  if (typeof value.validate !== 'function' || typeof value.variants !== 'object' || value.variants === null)
    return false;
  const variants = Object.values(value.variants);
  return variants.length > 0 && variants.every((variant) => typeof variant === 'function');
}

/** As it looks after the way through a pipe, which results of other processes have gone. */
function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
