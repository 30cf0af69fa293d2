/** A profile is a named set of values for the orchestrator's settings, each with its reason; its layer stands just above the defaults. */

export interface ProfileSettings {
  /** Attempts that run at once. */
  readonly concurrency: number;
  /** How long one attempt may take. */
  readonly timeoutMs: number;
  /** How long an agent that was told to end may take before it is killed. */
  readonly graceMs: number;
  readonly cache: {
    readonly memoryMaxBytes: number;
    readonly diskMaxBytes: number;
  };
}

/** The settings that a profile may set. */
export type ProfilePath = 'concurrency' | 'timeoutMs' | 'graceMs' | 'cache.memoryMaxBytes' | 'cache.diskMaxBytes';

export interface Profile {
  /** What machine, and what intent, it is made for. */
  readonly purpose: string;
  readonly settings: ProfileSettings;
  /** Why each setting has its value, by path. */
  readonly reasons: Readonly<Record<ProfilePath, string>>;
}

export const mebibyte = 1024 * 1024;
export const gibibyte = 1024 * mebibyte;
export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;

/** @param values each with its reason */
export function defineProfile(
  purpose: string,
  values: Readonly<Record<ProfilePath, readonly [value: number, reason: string]>>,
): Profile {
  const [concurrency, timeoutMs, graceMs] = [values.concurrency, values.timeoutMs, values.graceMs];
  const [memory, disk] = [values['cache.memoryMaxBytes'], values['cache.diskMaxBytes']];
  return Object.freeze({
    purpose,
    settings: Object.freeze({
      concurrency: concurrency[0],
      timeoutMs: timeoutMs[0],
      graceMs: graceMs[0],
      cache: Object.freeze({ memoryMaxBytes: memory[0], diskMaxBytes: disk[0] }),
    }),
    reasons: Object.freeze({
      concurrency: concurrency[1],
      timeoutMs: timeoutMs[1],
      graceMs: graceMs[1],
      'cache.memoryMaxBytes': memory[1],
      'cache.diskMaxBytes': disk[1],
    }),
  });
}
