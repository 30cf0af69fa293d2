/** What CI does with a case: every variant once, small and untimed, and whether its work is right and equal. */
import type { BenchmarkCase, CaseContext } from './case.ts';
import { assertEqualWork } from './equal-work.ts';
import type { AnyCase } from './find-cases.ts';
import type { LeakCase } from './kinds/leak.ts';
import type { LoadCase } from './kinds/load.ts';
import type { MemoryCase } from './kinds/memory.ts';
import { runScenario, type ScenarioCase } from './kinds/scenario.ts';

export interface CheckOptions {
  /** Of each variant: iterations, requests, items or cycles. */
  readonly iterations: number;
  directoryFor(variant: string): Promise<string>;
}

/**
 * Runs every variant of a case in this process. A size has no work to check.
 * @throws what `validate` throws, or {BenchError} BENCH_UNEQUAL_WORK when two variants' results differ
 */
export async function checkCase(name: string, definition: AnyCase, options: CheckOptions): Promise<void> {
  if (definition.kind === 'size') return;
  const results: Record<string, unknown> = {};
  for (const variant of Object.keys(definition.variants)) {
    const context = { directory: await options.directoryFor(variant) };
    results[variant] = await checkVariant(definition, variant, context, options.iterations);
  }
  assertEqualWork(name, results);
}

/** The result of one variant, validated; a scenario has none to compare. */
export async function checkVariant(
  definition: Exclude<AnyCase, { readonly kind: 'size' }>,
  variant: string,
  context: CaseContext,
  iterations: number,
): Promise<unknown> {
  switch (definition.kind) {
    case 'load':
      return checkLoad(definition, variant, context, iterations);
    case 'memory':
      return checkMemory(definition, variant, context, iterations);
    case 'leak':
      return checkLeak(definition, variant, context, iterations);
    case 'scenario':
      return checkScenario(definition, variant, context);
    default:
      return checkMeasure(definition, variant, context, iterations);
  }
}

/** @throws {TypeError} when there is no variant of the name */
export async function prepareVariant<Prepared>(
  variants: Readonly<Record<string, (context: CaseContext) => Prepared | Promise<Prepared>>>,
  variant: string,
  context: CaseContext,
): Promise<Prepared> {
  const prepare = variants[variant];
  if (prepare === undefined) throw new TypeError(`There is no variant ${variant}.`);
  return prepare(context);
}

async function checkMeasure(
  { variants, validate }: BenchmarkCase,
  variant: string,
  context: CaseContext,
  iterations: number,
): Promise<unknown> {
  const prepared = await prepareVariant(variants, variant, context);
  return closing(prepared, async () => {
    const result = await prepared.run(iterations);
    validate(result, iterations);
    return result;
  });
}

async function checkLoad(
  { variants, validate }: LoadCase,
  variant: string,
  context: CaseContext,
  iterations: number,
): Promise<unknown> {
  const prepared = await prepareVariant(variants, variant, context);
  return closing(prepared, async () => {
    for (let index = 0; index < iterations; index += 1) await prepared.request(index);
    const result = await prepared.summarise();
    validate(result, iterations);
    return result;
  });
}

async function checkMemory(
  { variants, validate }: MemoryCase,
  variant: string,
  context: CaseContext,
  iterations: number,
): Promise<unknown> {
  const prepared = await prepareVariant(variants, variant, context);
  return closing(prepared, async () => {
    await prepared.fill(iterations);
    const result = await prepared.summarise();
    validate(result, iterations);
    return result;
  });
}

async function checkLeak(
  { variants, validate }: LeakCase,
  variant: string,
  context: CaseContext,
  iterations: number,
): Promise<unknown> {
  const prepared = await prepareVariant(variants, variant, context);
  return closing(prepared, async () => {
    for (let cycle = 0; cycle < iterations; cycle += 1) await prepared.cycle();
    const result = await prepared.summarise();
    validate(result, iterations);
    return result;
  });
}

/** All of its phases and faults, in a twentieth of the time. */
async function checkScenario(definition: ScenarioCase, variant: string, context: CaseContext): Promise<undefined> {
  const { variants, phases, faults = [] } = definition;
  const prepared = await prepareVariant(variants, variant, context);
  return closing(prepared, async () => {
    const brief = {
      ...definition,
      phases: phases.map((phase) => ({ ...phase, durationMs: phase.durationMs / shortened })),
      faults: faults.map((fault) => ({ ...fault, atMs: fault.atMs / shortened })),
    };
    const { violations } = await runScenario(brief, prepared);
    const [first] = violations;
    if (first !== undefined) throw new Error(`${first.invariant} does not hold after ${first.phase}: ${first.message}`);
    return undefined;
  });
}

const shortened = 20;

async function closing<Result>(
  prepared: { close?(): void | Promise<void> },
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } finally {
    await prepared.close?.();
  }
}
