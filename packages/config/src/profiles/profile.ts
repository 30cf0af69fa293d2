/** A profile is a named set of values for the orchestrator's settings; its layer stands just above the defaults. */

export interface ProfileSettings {
  /** Attempts that run at once. */
  readonly concurrency: number;
  /** How long one attempt may take. */
  readonly timeoutMs: number;
  /** How long an agent that was told to end may take before it is killed. */
  readonly graceMs: number;
  readonly retry: {
    /** Tries at one task, the first included. */
    readonly attempts: number;
  };
  readonly cache: {
    readonly memoryMaxBytes: number;
    readonly diskMaxBytes: number;
  };
}

export const mebibyte = 1024 * 1024;
export const gibibyte = 1024 * mebibyte;
export const minuteMs = 60_000;
