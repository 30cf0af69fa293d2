/**
 * What a case needs besides the packages it measures: the program of a server, a rival that can't be installed everywhere.
 * Where it is missing the case is left out, or only the variants that need it are, and every report says so.
 */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { referenceOf } from './case.ts';
import { BenchError } from './errors.ts';
import type { AnyCase } from './find-cases.ts';
import { findPackage } from './find-package.ts';
import type { LeftOut } from './record.ts';

export interface Need {
  /** As the reader would look for it: `redis-server`. */
  readonly name: string;
  /** Whether it is here. Asked in the process that runs the benchmarks, before anything is measured; what it throws fails the case. */
  isHere(): boolean | Promise<boolean>;
  /** Those that need it. Without the judged one the case is left out. @default all */
  readonly variants?: readonly string[];
}

/** What is done about a case whose need is missing. */
export type OnMissing = 'leaveOut' | 'fail';

export interface AppliedNeeds<Definition extends AnyCase> {
  /** What is left of the case; undefined when it is left out. */
  readonly definition: Definition | undefined;
  readonly leftOut: readonly LeftOut[];
}

/** A program on the PATH that this user may run. */
export function needsProgram(name: string, options: Pick<Need, 'variants'> = {}): Need {
  return { ...options, name, isHere: () => hasProgram(name) };
}

/**
 * An installed package. Where it can be installed and still not be loaded (native modules), write a `Need` that loads it.
 * @param from  the `import.meta.url` of the case: the package is looked up from there
 */
export function needsPackage(name: string, from: string | URL, options: Pick<Need, 'variants'> = {}): Need {
  return { ...options, name, isHere: () => findPackage(name, fileURLToPath(from)) !== undefined };
}

/**
 * The case without what can't be measured here.
 * @param onMissing  `fail` to have nothing left out, as where everything is meant to be installed
 * @throws {BenchError} BENCH_NEED_MISSING when something is missing and `onMissing` is `fail`
 */
export async function applyNeeds<Definition extends AnyCase>(
  name: string,
  definition: Definition,
  onMissing: OnMissing = 'leaveOut',
): Promise<AppliedNeeds<Definition>> {
  const missing: Need[] = [];
  for (const need of definition.needs ?? []) if (!(await need.isHere())) missing.push(need);
  if (missing.length === 0) return { definition, leftOut: [] };
  if (onMissing === 'fail') {
    const message = `${name} needs ${listMissing(missing.map((need) => need.name))}. Install it, or allow cases to be left out.`;
    throw new BenchError('BENCH_NEED_MISSING', message);
  }
  const needs = (variant?: string) => missing.filter((need) => isNeededBy(need, variant)).map((need) => need.name);
  const all = definition.kind === 'size' ? [] : Object.keys(definition.variants);
  const judged = referenceOf(all);
  if (definition.kind === 'size' || needs(judged).length > 0) {
    return { definition: undefined, leftOut: [{ case: name, needs: needs(judged) }] };
  }
  const leftOut = all.flatMap((variant) =>
    needs(variant).length === 0 ? [] : [{ case: name, variant, needs: needs(variant) }],
  );
  const gone = new Set(leftOut.map(({ variant }) => variant));
  const variants = Object.fromEntries(Object.entries(definition.variants).filter(([variant]) => !gone.has(variant)));
  return { definition: { ...definition, variants }, leftOut };
}

/** In a sentence. */
export function describeLeftOut({ case: name, variant, needs }: LeftOut): string {
  const missing = listMissing(needs);
  if (variant === undefined) return `${name} was left out: it needs ${missing}.`;
  return `${name} was measured without ${variant}, which needs ${missing}.`;
}

function listMissing(names: readonly string[]): string {
  return `${names.join(' and ')}, which ${names.length === 1 ? 'is' : 'are'} not here`;
}

function isNeededBy({ variants }: Need, variant: string | undefined): boolean {
  return variants === undefined || variant === undefined || variants.includes(variant);
}

async function hasProgram(name: string): Promise<boolean> {
  const endings = process.platform === 'win32' ? (process.env.PATHEXT ?? '.EXE').split(';') : [''];
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const ending of endings) {
      if (folder !== '' && (await isExecutable(join(folder, `${name}${ending}`)))) return true;
    }
  }
  return false;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false; // Not there, or not for us: the next folder may have it.
  }
}
