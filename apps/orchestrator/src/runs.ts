/** The runs of a project: finding the one that is meant, and telling a crashed one from one under way. */
import { isProcessAlive } from '@cadre/spawner';
import { listRuns, type RunRecord, readRun } from '@cadre/workflow';
import { CadreError } from './errors.ts';

export type RunStatus = 'running' | 'stopping' | 'crashed' | 'succeeded' | 'failed' | 'interrupted' | 'cancelled';

/**
 * The id that `given` stands for: a whole one, its beginning or its end where only one run has that; without it the
 * newest run.
 * @throws {CadreError} CADRE_RUN_UNKNOWN
 */
export async function findRun(projectFolder: string, given: string | undefined): Promise<string> {
  const ids = await listRuns(projectFolder);
  if (given === undefined) {
    const [newest] = ids;
    if (newest === undefined) throw noRuns(projectFolder);
    return newest;
  }
  if (ids.includes(given)) return given;
  const [match, another] = given === '' ? [] : ids.filter((id) => id.startsWith(given) || id.endsWith(given));
  if (match === undefined) {
    const known = ids.length === 0 ? `There is none in ${projectFolder}.` : `The newest is ${ids[0]}.`;
    throw new CadreError('CADRE_RUN_UNKNOWN', `There is no run ${given}. ${known}`);
  }
  if (another !== undefined) {
    const message = `${given} stands for more than one run: ${match}, ${another}. Give more of its id.`;
    throw new CadreError('CADRE_RUN_UNKNOWN', message);
  }
  return match;
}

/**
 * The run to go on with: the given one, or the newest that has not succeeded.
 * @throws {CadreError} CADRE_RUN_UNKNOWN
 */
export async function findUnfinishedRun(projectFolder: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return findRun(projectFolder, given);
  const ids = await listRuns(projectFolder);
  if (ids.length === 0) throw noRuns(projectFolder);
  for (const id of ids) {
    const record = await tryReadRun(projectFolder, id);
    if (!(record instanceof Error) && record.state.status !== 'succeeded') return id;
  }
  throw new CadreError('CADRE_RUN_UNKNOWN', `Every run in ${projectFolder} has succeeded: there is nothing to resume.`);
}

/** The run, or why it can't be read: one damaged journal must not hide the other runs. */
export async function tryReadRun(projectFolder: string, id: string): Promise<RunRecord | Error> {
  try {
    return await readRun(projectFolder, id);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** `crashed`: it has no end, and the process that worked on it is gone. */
export async function statusOf(record: RunRecord): Promise<RunStatus> {
  const { status } = record.state;
  if (status !== 'running' && status !== 'stopping' && status !== 'pending') return status;
  if (!(await isProcessAlive(ownerOf(record)))) return 'crashed';
  return status === 'pending' ? 'running' : status;
}

/** The process that took the run up last. */
export function ownerOf({ events, started }: RunRecord) {
  const taken = events.findLast((event) => event.type === 'runResumed' || event.type === 'runStarted');
  return taken?.type === 'runResumed' ? taken.process : started.process;
}

function noRuns(projectFolder: string): CadreError {
  return new CadreError('CADRE_RUN_UNKNOWN', `There are no runs in ${projectFolder} yet; \`cadre run\` makes one.`);
}
