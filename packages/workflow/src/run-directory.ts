/**
 * Where a run keeps what it needs: `<project>/runs/<id>/` with `journal.jsonl`, a copy of the workflow, `attempts/` and
 * `results/`. Files are made durable before the journal names them.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WorkflowError } from './errors.ts';
import type { StoredResult } from './event.ts';
import type { JsonValue } from './workflow.ts';

/** Outputs up to this many bytes stand in the journal itself. */
const INLINE_BYTES = 8 * 1024;

export const runsDirectory = (projectDirectory: string): string => join(projectDirectory, 'runs');
/** Where an attempt keeps its prompt, output and outcome: `attempts/<task>/<number>`, counted from 1. */
export const attemptDirectory = (runDirectory: string, task: string, attempt: number): string =>
  join(runDirectory, 'attempts', task, String(attempt));
export const workflowCopy = (runDirectory: string): string => join(runDirectory, 'workflow.yaml');

/**
 * Makes the folder of a new run, one that was not there before.
 * @throws {WorkflowError} WORKFLOW_STORAGE_FAILED when it can't be made.
 */
export async function makeRunDirectory(
  projectDirectory: string,
  now: number,
  random: () => number,
): Promise<{ readonly id: string; readonly directory: string }> {
  const runs = runsDirectory(projectDirectory);
  try {
    await mkdir(runs, { recursive: true });
    for (let draw = 1; ; draw += 1) {
      const id = newRunId(now, random);
      const directory = join(runs, id);
      try {
        await mkdir(directory);
        return { id, directory };
      } catch (error) {
        // Another run of the same second drew the same name.
        if (!hasCode(error, 'EEXIST') || draw === 1_000) throw error;
      }
    }
  } catch (error) {
    throw storageFailed(runs, error);
  }
}

/** A name that sorts by time of start: `20261121-093015-4f2a`. */
function newRunId(now: number, random: () => number): string {
  const suffix = Math.floor(random() * 65_536)
    .toString(16)
    .padStart(4, '0');
  const [date = '', time = ''] = new Date(now).toISOString().split(/[T.]/);
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}-${suffix}`;
}

/** Ids of the runs of a project, the newest first. */
export async function listRuns(projectDirectory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(runsDirectory(projectDirectory), { withFileTypes: true });
    const ids = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    return ids.sort().reverse();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/**
 * Writes a file so that after a crash it is either whole or not there: a temporary name, fsync, rename, fsync of the
 * folder.
 */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Puts an output where the journal can name it. `json` is its canonical form, of which `digest` is the SHA-256.
 * @throws {WorkflowError} WORKFLOW_STORAGE_FAILED when it can't be written.
 */
export async function storeResult(
  runDirectory: string,
  output: JsonValue,
  json: string,
  digest: string,
): Promise<StoredResult> {
  const bytes = Buffer.byteLength(json);
  if (bytes <= INLINE_BYTES) return { digest, bytes, output };
  const path = resultFile(runDirectory, digest);
  try {
    await writeDurably(path, json);
  } catch (error) {
    throw storageFailed(path, error);
  }
  return { digest, bytes };
}

/** @throws {WorkflowError} WORKFLOW_RESULT_MISSING when the file of a result has been removed or changed. */
export async function loadResult(runDirectory: string, result: StoredResult): Promise<JsonValue> {
  if (result.output !== undefined) return result.output;
  const path = resultFile(runDirectory, result.digest);
  try {
    const text = await readFile(path, 'utf8');
    if (Buffer.byteLength(text) !== result.bytes) throw new Error(`it is not ${result.bytes} bytes long`);
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WorkflowError(
      'WORKFLOW_RESULT_MISSING',
      `The result file ${path} can't be used (${reason}). It was changed from outside; start a new run, which reuses what the cache still holds.`,
      { cause: error },
    );
  }
}

export function storageFailed(path: string, error: unknown): WorkflowError {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `${path} can't be written: ${reason}. Make room or give write access; then start or resume the run.`;
  return new WorkflowError('WORKFLOW_STORAGE_FAILED', message, { cause: error });
}

export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function resultFile(runDirectory: string, digest: string): string {
  return join(runDirectory, 'results', `${digest}.json`);
}
