/** What CI does with a case: every variant once, small and untimed, and whether its work is right and equal. */
import type { CaseContext } from './case.ts';
import { assertEqualWork } from './equal-work.ts';
import type { AnyCase } from './find-cases.ts';
import { type PreparedScenario, runScenario, type ScenarioCase } from './kinds/scenario.ts';
import { type Closable, type Variants, withVariant } from './with-variant.ts';

export interface CheckOptions {
  /** Of each variant: iterations, requests, items or cycles. Those of a timed case are run after one alone, since the ruler too runs a variant many times. */
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
  const check = <Prepared extends Closable>(checked: Checked<Prepared>, drive: (prepared: Prepared) => unknown) =>
    checkDriven(checked, variant, context, iterations, drive);
  switch (definition.kind) {
    case 'load':
      return check(definition, async (prepared) => {
        for (let index = 0; index < iterations; index += 1) await prepared.request(index);
        return prepared.summarise();
      });
    case 'memory':
      return check(definition, async (prepared) => {
        await prepared.fill(iterations);
        return prepared.summarise();
      });
    case 'leak':
      return check(definition, async (prepared) => {
        for (let cycle = 0; cycle < iterations; cycle += 1) await prepared.cycle();
        return prepared.summarise();
      });
    case 'scenario':
      return withVariant(definition.variants, variant, context, (prepared) => checkScenario(definition, prepared));
    default:
      return check(definition, async (prepared) => {
        if (iterations > 1) definition.validate(await prepared.run(1), 1);
        return prepared.run(iterations);
      });
  }
}

/** What the kinds with a result have in common. */
interface Checked<Prepared> {
  readonly variants: Variants<Prepared>;
  validate(result: unknown, iterations: number): void;
}

async function checkDriven<Prepared extends Closable>(
  { variants, validate }: Checked<Prepared>,
  variant: string,
  context: CaseContext,
  iterations: number,
  drive: (prepared: Prepared) => unknown,
): Promise<unknown> {
  return withVariant(variants, variant, context, async (prepared) => {
    const result = await drive(prepared);
    validate(result, iterations);
    return result;
  });
}

/** All of its phases and faults, in a twentieth of the time. */
async function checkScenario(definition: ScenarioCase, prepared: PreparedScenario): Promise<undefined> {
  const { phases, faults = [] } = definition;
  const brief = {
    ...definition,
    phases: phases.map((phase) => ({ ...phase, durationMs: phase.durationMs / shortened })),
    faults: faults.map((fault) => ({ ...fault, atMs: fault.atMs / shortened })),
  };
  const [first] = (await runScenario(brief, prepared)).violations;
  if (first !== undefined) throw new Error(`${first.invariant} does not hold after ${first.phase}: ${first.message}`);
}

const shortened = 20;
