/**
 * What an attempt leaves in its directory, written as it happens: what was asked, every byte that came back up to a bound,
 * and how it ended. It is what one reads when an agent did something nobody understands.
 *
 * The files are opened before the agent starts, so that a full or read-only disk costs nothing. Once it runs, a failed
 * write only makes the record incomplete: a result that was paid for is worth more than its log.
 */
import { type FileHandle, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentTask } from './definition.ts';
import { AgentError } from './errors.ts';
import type { AttemptExit } from './outcome.ts';

export interface AttemptFiles {
  stdout(chunk: Uint8Array): void;
  stderr(chunk: Uint8Array): void;
  /** Writes exit.json when there was an exit; resolves to what is missing from the record. Only the first call counts. */
  close(exit: AttemptExit | undefined): Promise<readonly string[]>;
}

/**
 * @param prompt what the agent is sent, which is not always the task's own prompt
 * @param maxBytes kept of each stream, from its beginning
 * @throws {AgentError} AGENT_FILES_UNWRITABLE when the directory or a file in it can't be created
 */
export async function openAttemptFiles(
  directory: string,
  task: AgentTask,
  prompt: string,
  maxBytes: number,
): Promise<AttemptFiles> {
  const path = (name: string) => join(directory, name);
  const recorders: Recorder[] = [];
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(path('prompt.txt'), prompt);
    await writeFile(path('input.json'), `${JSON.stringify(task.input ?? null, null, 2)}\n`);
    for (const name of ['stdout.raw', 'stderr.txt']) {
      recorders.push(new Recorder(await open(path(name), 'w'), name, maxBytes));
    }
  } catch (cause) {
    for (const recorder of recorders) await recorder.close();
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `The attempt directory ${directory} can't be written: ${why}. Free space or correct its permissions.`;
    throw new AgentError('AGENT_FILES_UNWRITABLE', message, { cause });
  }
  const [stdout, stderr] = recorders;
  let closing: Promise<readonly string[]> | undefined;
  const close = async (exit: AttemptExit | undefined): Promise<readonly string[]> => {
    const missing = [...((await stdout?.close()) ?? []), ...((await stderr?.close()) ?? [])];
    if (exit === undefined) return missing;
    const { exitCode, signalName, endedBy, durationMs } = exit;
    try {
      await writeFile(path('exit.json'), `${JSON.stringify({ exitCode, signalName, endedBy, durationMs })}\n`);
    } catch (error) {
      missing.push(`exit.json could not be written: ${error instanceof Error ? error.message : String(error)}`);
    }
    return missing;
  };
  return {
    stdout: (chunk) => stdout?.write(chunk),
    stderr: (chunk) => stderr?.write(chunk),
    close: (exit) => {
      closing ??= close(exit);
      return closing;
    },
  };
}

/** Appends chunks to one file in order; what waits is bounded because what is kept is. */
class Recorder {
  readonly #handle: FileHandle;
  readonly #name: string;
  #room: number;
  #dropped = 0;
  #writing: Promise<void> = Promise.resolve();
  #failure: string | undefined;

  constructor(handle: FileHandle, name: string, maxBytes: number) {
    this.#handle = handle;
    this.#name = name;
    this.#room = maxBytes;
  }

  write(chunk: Uint8Array): void {
    const kept = chunk.subarray(0, this.#room);
    this.#room -= kept.byteLength;
    this.#dropped += chunk.byteLength - kept.byteLength;
    if (kept.byteLength > 0) this.#writing = this.#writing.then(() => this.#append(kept));
  }

  async close(): Promise<string[]> {
    await this.#writing;
    try {
      await this.#handle.close();
    } catch (error) {
      this.#failure ??= error instanceof Error ? error.message : String(error);
    }
    const missing: string[] = [];
    if (this.#failure !== undefined) missing.push(`${this.#name} is incomplete: ${this.#failure}`);
    if (this.#dropped > 0) missing.push(`${this.#name} lacks the last ${this.#dropped} bytes, over maxRecordedBytes`);
    return missing;
  }

  async #append(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      // appendFile goes on after a short write; write alone would lose the rest of the chunk.
      await this.#handle.appendFile(chunk);
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
    }
  }
}
