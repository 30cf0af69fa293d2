/**
 * What a command may know and touch of the process it runs in. `main.ts` makes the one host there is; everything else
 * takes it as an argument, so that nothing reads the environment or ends the process behind a caller's back.
 */
export interface Host {
  /** What was typed after the program's name. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The current folder. */
  readonly directory: string;
  /** The file that node was told to run. */
  readonly script: string;
  readonly platform: NodeJS.Platform;
  readonly nodeVersion: string;
  readonly pid: number;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  now(): number;
  /** Calls `listener` at each signal to stop, instead of ending the process; returns how to end that. */
  onInterruption(listener: (interruption: Interruption) => void): () => void;
  /** False when there is no such process any more. */
  sendSignal(pid: number, signal: 'SIGTERM'): boolean;
  /** At once, whatever is under way. */
  exit(code: number): never;
}

/** `SIGPIPE` stands for a reader of our output that went away. */
export type Interruption = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE';
