/** Whether to write in colours, and how. */
import pc from 'picocolors';

export type Colors = ReturnType<typeof pc.createColors>;

export interface ColorQuestion {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  /** False: `--no-color`. */
  readonly wanted: boolean;
}

/** `--no-color` and NO_COLOR (any text but none, see no-color.org) come before FORCE_COLOR, and that before the terminal. */
export function colorsFor({ environment, isTerminal, wanted }: ColorQuestion): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  if (!wanted || (NO_COLOR !== undefined && NO_COLOR !== '')) return pc.createColors(false);
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return pc.createColors(FORCE_COLOR !== '0');
  return pc.createColors(isTerminal && TERM !== 'dumb');
}
