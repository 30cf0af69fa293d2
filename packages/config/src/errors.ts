/** What can go wrong while loading, told so that a person can repair every problem in one go. */

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

export type ConfigErrorCode =
  | 'CONFIG_INVALID'
  | 'CONFIG_UNREADABLE'
  | 'CONFIG_AMBIGUOUS_FILE'
  | 'CONFIG_UNTRUSTED'
  | 'CONFIG_UNTRUSTABLE';

export class ConfigError extends Error {
  readonly code: ConfigErrorCode;
  /** Every problem found, not only the first. */
  readonly problems: readonly ConfigProblem[];

  constructor(code: ConfigErrorCode, message: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
    this.code = code;
    this.problems = problems;
  }
}

export function invalidConfig(
  problems: readonly ConfigProblem[],
  code: ConfigErrorCode = 'CONFIG_INVALID',
): ConfigError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`);
  return new ConfigError(code, [`${count} in the configuration:`, ...lines].join('\n'), problems);
}

function formatProblem({ path, message, source, suggestion }: ConfigProblem): string {
  const what = path === '' ? message : `${path}: ${message}`;
  return [source === undefined ? what : `${source}  ${what}`, suggestion].filter(Boolean).join('; ');
}
