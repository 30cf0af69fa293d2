/** What the exit code of `cadre` says. The README and `cadre --help` print this table; scripts may rely on it. */
import type { Interruption } from './host.ts';

export const exitCodes = {
  succeeded: 0,
  tasksFailed: 1,
  invalidInput: 2,
  cannotGoOn: 3,
  noSuchRun: 4,
  internalError: 70,
  hungUp: 129,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143,
} as const;

export const exitCodeTexts: Readonly<Record<keyof typeof exitCodes, string>> = {
  succeeded: 'it went well; for run and resume: every task succeeded, was reused or skipped',
  tasksFailed: 'the run ended and tasks of it failed; doctor, cache or jsonl found something that needs mending',
  invalidInput: 'the workflow file, an input, an option or a setting is wrong: nothing was started',
  cannotGoOn: 'a file or folder could not be read or written; a run that was under way can be resumed',
  noSuchRun: 'there is no such run, it is active in another process, or there is nothing left to do',
  internalError: 'an error that cadre does not know; CADRE_DEBUG=1 shows more',
  hungUp: 'the terminal went away; the run can be resumed',
  interrupted: 'interrupted with ctrl-C; the run can be resumed',
  outputClosed: 'whoever read the output went away; the run can be resumed',
  terminated: 'cancelled, by `cadre cancel` or SIGTERM; the run can be resumed',
};

export const interruptionExitCodes: Readonly<Record<Interruption, number>> = {
  SIGHUP: exitCodes.hungUp,
  SIGINT: exitCodes.interrupted,
  SIGPIPE: exitCodes.outputClosed,
  SIGTERM: exitCodes.terminated,
};
