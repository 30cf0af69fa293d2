/** What can go wrong while loading, told so that a person can repair every problem in one go. */

import type { ProblemList } from './problem-list.ts';

/** One thing wrong with the settings. Line and column count from 1; they are `undefined` outside files. */
export interface ConfigProblem {
  /** `cache.diskMaxBytes`, `agents.fast.command[0]`; empty for a whole file. */
  readonly path: string;
  readonly message: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** Where it was set, in words: `/repo/cadre.config.yaml:3:5`, `environment variable CADRE_CONCURRENCY`. */
  readonly source: string | undefined;
  /** What to write instead, where that could be guessed: `did you mean "concurrency"?`. */
  readonly suggestion: string | undefined;
}

/** What is wrong with settings, their files or the trust in them; the README says when each comes and what to do. */
export type ConfigErrorCode =
  | 'CONFIG_INVALID'
  | 'CONFIG_UNREADABLE'
  | 'CONFIG_AMBIGUOUS_FILE'
  | 'CONFIG_UNTRUSTED'
  | 'CONFIG_UNTRUSTABLE'
  | 'CONFIG_UNWATCHABLE';

export class ConfigError extends Error {
  readonly code: ConfigErrorCode;
  /** Every problem found, not only the first. Those of the text of a file come before any of its meaning can be told. */
  readonly problems: readonly ConfigProblem[];
  /** How many more there are: at most 100 are listed. */
  readonly omitted: number;

  constructor(
    code: ConfigErrorCode,
    message: string,
    problems: readonly ConfigProblem[],
    options?: ErrorOptions & { readonly omitted?: number },
  ) {
    super(message, options);
    this.name = 'ConfigError';
    this.code = code;
    this.problems = problems;
    this.omitted = options?.omitted ?? 0;
  }
}

export function invalidConfig(problems: ProblemList, code: ConfigErrorCode = 'CONFIG_INVALID'): ConfigError {
  const { listed, omitted } = problems;
  const count = listed.length + omitted;
  const lines = listed.map((problem) => `  ${formatProblem(problem)}`);
  if (omitted > 0) lines.push(`  and ${omitted} more`);
  const message = [`${count === 1 ? '1 problem' : `${count} problems`} in the configuration:`, ...lines].join('\n');
  return new ConfigError(code, message, listed, { omitted });
}

function formatProblem({ path, message, source, suggestion }: ConfigProblem): string {
  const what = path === '' ? message : `${path}: ${message}`;
  return [source === undefined ? what : `${source}  ${what}`, suggestion].filter(Boolean).join('; ');
}
