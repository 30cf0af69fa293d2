/**
 * The frame of an agent that is a program of its own: one line of JSON in, lines of JSON out, the last of them the
 * result or the error.
 */

interface AgentInput<Needs> {
  readonly with: Readonly<Record<string, unknown>>;
  /** What the tasks named in `needs:` answered, by the task's id. */
  readonly needs: Needs;
}

export interface AgentTask<Needs = Readonly<Record<string, never>>> {
  readonly prompt: string;
  readonly input: AgentInput<Needs>;
}

export type ReportProgress = (done: number, total: number, message?: string) => void;

/** A longer line would be refused by its reader, after all the work. */
const MAX_RESULT_BYTES = 15 * 1024 * 1024;

/** Answers the one task on standard input; what `work` throws becomes the error line. */
export async function answerTask<Needs>(
  work: (task: AgentTask<Needs>, progress: ReportProgress) => unknown,
): Promise<void> {
  try {
    const task: AgentTask<Needs> = JSON.parse(await readInput());
    const output = await work(task, progressReporter());
    const line = JSON.stringify({ type: 'result', output });
    const bytes = Buffer.byteLength(line);
    if (bytes > MAX_RESULT_BYTES) {
      throw new Error(
        `The facts about this tree take ${bytes} bytes, more than one line of ${MAX_RESULT_BYTES} may hold: audit one of its folders.`,
      );
    }
    await write(`${line}\n`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await write(`${JSON.stringify({ type: 'error', message, retryable: false })}\n`);
    process.exitCode = 1;
  }
}

/** The folder that a collecting agent was told to read. */
export function rootOf(task: AgentTask<unknown>): string {
  return textInput(task, 'root');
}

/** @throws {TypeError} when the workflow did not give the task this text */
export function textInput(task: AgentTask<unknown>, name: string): string {
  const value = task.input.with[name];
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(
      `This task needs a text under \`with: { ${name}: … }\`, but got ${JSON.stringify(value) ?? 'nothing'}.`,
    );
  }
  return value;
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** At most a few lines a second: progress is for eyes. */
function progressReporter(): ReportProgress {
  let lastMs = 0;
  return (done, total, message) => {
    const nowMs = performance.now();
    if (done < total && nowMs - lastMs < 150) return;
    lastMs = nowMs;
    process.stdout.write(`${JSON.stringify({ type: 'progress', done, total, ...(message && { message }) })}\n`);
  };
}

function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
