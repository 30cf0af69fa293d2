/**
 * The contract between a question and the ruler. A case asks one question; each variant answers it with another
 * library; `validate` and the comparison of all results make sure that they did the same work. This file has what all
 * kinds of cases share, and the kind that is timed; the others are in `kinds/`.
 */
import type { ControlName } from './controls.ts';
import type { Need } from './needs.ts';

/** What a variant gets to work with. */
export interface CaseContext {
  /** An empty folder of this process alone, removed afterwards; on the disk that the benchmark is about. */
  readonly directory: string;
}

/** What every kind of case says about itself. */
export interface CaseHead {
  /** In one sentence, what the figure answers. */
  readonly question: string;
  /** What the figure is counted per: `record`, `append`, `process`. */
  readonly unit: string;
  /** What the case is bound by, so that its figure can be held against another machine's. @default 'cpu' */
  readonly control?: ControlName;
  /**
   * That the figure is about data that outlive a loss of power. Such a case refuses to report where syncing does nothing.
   * @default false
   */
  readonly durable?: boolean;
  /** Where one of them is missing, the case or those of its variants that need it are left out. @default none */
  readonly needs?: readonly Need[];
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

/** A case that is timed: how long one unit takes. */
export interface BenchmarkCase<Result = unknown> extends CaseHead {
  readonly kind?: 'measure';
  /** How many units one iteration is. @default 1 */
  readonly unitsPerIteration?: number;
  /** Throws unless `result` is exactly what `iterations` iterations must give. */
  validate(result: Result, iterations: number): void;
  /** By name. `cadre` (or the first, where there is none) is what the others are held against. */
  readonly variants: Readonly<Record<string, Variant<Result>>>;
}

/** Returns the definition as it is; for its types. */
export function defineCase<Result>(definition: BenchmarkCase<Result>): BenchmarkCase<Result> {
  return definition;
}

/** The variant that the others are held against. */
export function referenceOf(variants: readonly string[]): string {
  return variants.includes('cadre') ? 'cadre' : (variants[0] ?? '');
}
