/** How a process ended, in the words the rest of the house uses. */
import type { ProcessIdentity } from './process-table.ts';

/**
 * `exit` and `signal`: by itself or by somebody else's signal. The others: we ended it, because of `timeoutMs`,
 * `idleTimeoutMs`, `memoryLimitBytes`, `outputLimitBytes`, the AbortSignal, or a call of `end()`.
 */
export type EndedBy = 'exit' | 'signal' | 'timeout' | 'idle' | 'memory' | 'output' | 'aborted' | 'ended';

export interface ProcessResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** Null when it exited; null like `exitCode` when it is gone and what would have known how was killed too. */
  readonly signalName: NodeJS.Signals | null;
  readonly endedBy: EndedBy;
  /** What `end({ reason })` was told. */
  readonly endReason?: string;
  /** From the start to the exit, without the time spent on what it left behind. */
  readonly durationMs: number;
  /** The last `maxOutputBytes` as UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
  /** All bytes it wrote, kept or not. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** The largest memory of the program itself, of what was seen at the samples; absent when it ended before the first. */
  readonly peakRssBytes?: number;
  /** The same of the program with everything it had started; present where `memoryLimitBytes` was given. */
  readonly peakTreeBytes?: number;
  /** Processes it had started that still lived after its own exit; they were ended unless `survivors` names them. */
  readonly leftBehind: readonly ProcessIdentity[];
  /** Processes that could not be ended. */
  readonly survivors: readonly ProcessIdentity[];
}
