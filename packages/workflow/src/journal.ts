/**
 * The journal of a run: its events as JSON lines, in the order in which they became true. It is the only thing that has
 * to survive; everything else in the run's folder can be made from it again or is named by it.
 */
import { join } from 'node:path';
import { JsonlError, type JsonlLog, openJsonlLog, readJsonl } from '@cadre/jsonl';
import { WorkflowError } from './errors.ts';
import type { RunEvent } from './event.ts';
import type { Plan } from './plan.ts';
import { apply, initialState, type RunState } from './state.ts';

const journalFile = (runDirectory: string): string => join(runDirectory, 'journal.jsonl');

/** A journal open for writing; one process at a time holds it. */
export class Journal {
  readonly path: string;
  readonly #log: JsonlLog;

  private constructor(path: string, log: JsonlLog) {
    this.path = path;
    this.#log = log;
  }

  /**
   * Opens the journal of a run, making it if there is none. A record that a crash cut off is removed.
   * @throws {WorkflowError} WORKFLOW_RUN_ACTIVE when another process has it open, WORKFLOW_JOURNAL_FAILED when it can't
   * be opened.
   */
  static async open(runDirectory: string): Promise<Journal> {
    const path = journalFile(runDirectory);
    try {
      return new Journal(path, await openJsonlLog(path, { mode: 'exclusive' }));
    } catch (error) {
      if (error instanceof JsonlError && error.code === 'JSONL_LOG_LOCKED') {
        const message = `The run in ${runDirectory} is being worked on by another process. ${error.message}`;
        throw new WorkflowError('WORKFLOW_RUN_ACTIVE', message, { cause: error });
      }
      throw journalFailed(path, 'opened', error);
    }
  }

  /**
   * Resolves when the events are on disk, in this order and before those of any later call.
   * @throws {WorkflowError} WORKFLOW_JOURNAL_FAILED from the first failure on, for good.
   */
  async append(...events: readonly RunEvent[]): Promise<void> {
    try {
      await (events.length === 1 ? this.#log.append(events[0]) : this.#log.appendMany(events));
    } catch (error) {
      throw journalFailed(this.path, 'written', error);
    }
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}

/**
 * Reads a journal, which may be written to meanwhile; a record that is cut off at the end has not happened.
 * @throws {WorkflowError} WORKFLOW_JOURNAL_DAMAGED with the line, when a record before the end can't be read.
 */
export async function readJournal(runDirectory: string): Promise<readonly RunEvent[]> {
  const path = journalFile(runDirectory);
  const events: RunEvent[] = [];
  const options = {
    onInvalid: (line: { readonly reason: string; readonly lineNumber: number; readonly message: string }) => {
      if (line.reason === 'cut-off') return;
      throw new WorkflowError(
        'WORKFLOW_JOURNAL_DAMAGED',
        `${path}:${line.lineNumber}: ${line.message} The journal was changed from outside; restore it from a copy, or start a new run.`,
      );
    },
  };
  try {
    for await (const batch of readJsonl<RunEvent>(path, options)) {
      for (const event of batch) events.push(event);
    }
  } catch (error) {
    throw error instanceof WorkflowError ? error : journalFailed(path, 'read', error);
  }
  return events;
}

/** The state that a list of events leads to. */
export function fold(plan: Plan, events: Iterable<RunEvent>): RunState {
  let state = initialState(plan);
  for (const event of events) state = apply(state, event);
  return state;
}

function journalFailed(path: string, verb: string, error: unknown): WorkflowError {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `The journal ${path} can't be ${verb}: ${reason} What stands in it is safe: remove the cause and resume the run.`;
  return new WorkflowError('WORKFLOW_JOURNAL_FAILED', message, { cause: error });
}
