/** From a folder of built files to the cases in it: `<directory>/<package>/<question>.js`, one case each. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BenchmarkCase } from './case.ts';
import { BenchError } from './errors.ts';
import type { LeakCase } from './kinds/leak.ts';
import type { LoadCase } from './kinds/load.ts';
import type { MemoryCase } from './kinds/memory.ts';
import type { ScenarioCase } from './kinds/scenario.ts';
import type { SizeCase } from './kinds/size.ts';

export type AnyCase = BenchmarkCase | LoadCase | MemoryCase | LeakCase | ScenarioCase | SizeCase;

export type CaseKind = NonNullable<AnyCase['kind']>;

/** A case on disk. */
export interface FoundCase {
  readonly packageName: string;
  /** `<package>/<question>` */
  readonly name: string;
  readonly file: string;
}

export interface LoadedCase<Definition extends AnyCase = AnyCase> extends FoundCase {
  /** Of the case's built file, which names the chunks it shares by their content: it changes when the work may have. */
  readonly hash: string;
  readonly definition: Definition;
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
  const definition = await importCase(found.file);
  const hash = createHash('sha256')
    .update(await readFile(found.file))
    .digest('hex');
  return { ...found, hash, definition };
}

/** @throws {BenchError} BENCH_CASE_INVALID when the file's default export is not a case */
export async function importCase(file: string): Promise<AnyCase> {
  const module: { default?: unknown } = await import(pathToFileURL(file).href);
  const problem = findProblem(module.default);
  if (problem === undefined) return module.default as AnyCase;
  throw new BenchError('BENCH_CASE_INVALID', `${file} is not a benchmark case: ${problem}.`);
}

export function kindOf({ kind }: AnyCase): CaseKind {
  return kind ?? 'measure';
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

/** What each kind must have besides `question` and `unit`. */
const fieldsOfKind: Readonly<Record<CaseKind, Readonly<Record<string, 'function' | 'number' | 'object' | 'string'>>>> =
  {
    measure: { validate: 'function', variants: 'object' },
    load: { validate: 'function', variants: 'object', ratePerSecond: 'number' },
    memory: { validate: 'function', variants: 'object', sizes: 'object' },
    leak: { validate: 'function', variants: 'object' },
    scenario: { phases: 'object', variants: 'object' },
    size: { packageName: 'string' },
  };

function findProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null)
    return 'the default export must be what defineCase or a sister returns';
  const entry: Readonly<Record<string, unknown>> = { ...value };
  const kind = entry.kind ?? 'measure';
  if (typeof kind !== 'string' || !Object.hasOwn(fieldsOfKind, kind)) {
    return `its kind must be one of ${Object.keys(fieldsOfKind).join(', ')}, not ${JSON.stringify(kind)}`;
  }
  const required = { question: 'string', unit: 'string', ...fieldsOfKind[kind as CaseKind] };
  const missing = Object.entries(required).filter(
    ([name, type]) => typeof entry[name] !== type || entry[name] === null,
  );
  if (missing.length > 0)
    return `a case of kind ${kind} needs ${missing.map(([name, type]) => `${name} (a ${type})`).join(', ')}`;
  if (!('variants' in required)) return findProblemOfNeeds(entry.needs, []);
  const variants = Object.values(entry.variants ?? {});
  const sound = variants.length > 0 && variants.every((variant) => typeof variant === 'function');
  if (!sound) return 'variants must hold at least one, and each must be a function';
  return findProblemOfNeeds(entry.needs, Object.keys(entry.variants ?? {}));
}

function findProblemOfNeeds(needs: unknown, variants: readonly string[]): string | undefined {
  if (needs === undefined) return undefined;
  if (!Array.isArray(needs)) return 'needs must be a list';
  for (const need of needs as readonly unknown[]) {
    const entry: Readonly<Record<string, unknown>> = typeof need === 'object' && need !== null ? { ...need } : {};
    if (typeof entry.name !== 'string' || typeof entry.isHere !== 'function') {
      return 'each of its needs must have name (a string) and isHere (a function)';
    }
    const unknown = Array.isArray(entry.variants) ? entry.variants.filter((name) => !variants.includes(name)) : [];
    if (unknown.length > 0) return `it has no variant ${unknown.join(', ')} to need ${entry.name}`;
  }
  return undefined;
}
