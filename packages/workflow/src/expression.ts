/**
 * Expressions `${{ … }}` in a workflow file are CEL, which cannot loop without bound or reach outside what it is given.
 * A template is any JSON value whose strings may hold expressions; a string that is one expression and nothing else
 * keeps the type of its value, otherwise values are written into the text.
 */
import type { JsonValue, Scope } from './workflow.ts';

export interface Expression {
  readonly source: string;
  /** Dotted paths it reads, such as `inputs.root` and `tasks.files`. */
  readonly references: readonly string[];
  evaluate(scope: Scope): JsonValue;
}

export interface Template {
  /** The value as written. */
  readonly source: JsonValue;
  /** True when nothing has to be evaluated. */
  readonly constant: boolean;
  readonly references: readonly string[];
  evaluate(scope: Scope): JsonValue;
}
