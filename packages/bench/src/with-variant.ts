/** One variant of a case, from its preparation to its end. */
import type { CaseContext } from './case.ts';

/** Something prepared, which may hold what must be given back. */
export interface Closable {
  close?(): void | Promise<void>;
}

export type Variants<Prepared> = Readonly<Record<string, (context: CaseContext) => Prepared | Promise<Prepared>>>;

/**
 * Prepares a variant, uses it, and closes it whatever became of the use.
 * @throws {TypeError} when there is no variant of the name
 */
export async function withVariant<Prepared extends Closable, Result>(
  variants: Variants<Prepared>,
  variant: string,
  context: CaseContext,
  use: (prepared: Prepared) => Result | Promise<Result>,
): Promise<Result> {
  const prepare = variants[variant];
  if (prepare === undefined) throw new TypeError(`There is no variant ${variant}.`);
  const prepared = await prepare(context);
  try {
    return await use(prepared);
  } finally {
    await prepared.close?.();
  }
}
