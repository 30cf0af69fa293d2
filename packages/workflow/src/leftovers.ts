/**
 * What a run leaves behind when its process goes: attempts that may still be under way. Each carries a marker in its environment that no
 * other has, so that one can be ended while another is taken up.
 */
import { type ProcessIdentity, type ProcessMarker, sweep } from '@cadre/spawner';
import type { RunEvent, RunStarted } from './event.ts';
import type { Executor } from './executor.ts';
import { attemptDirectory } from './run-directory.ts';
import type { RunState } from './state.ts';

/** Name of the environment variable by which the processes of a run are told apart. */
const markerVariable = 'CADRE_RUN_MARKER';

/** What every process of one attempt carries. */
export function attemptMarker(run: string, task: string, attempt: number): ProcessMarker {
  return { name: markerVariable, value: `${run}.${task}.${attempt}` };
}

/** An attempt that an earlier process began, for the one that may take it up. */
export interface Leftover {
  readonly attempt: number;
  /** What it was asked. */
  readonly asked: string;
  /** Ends what is left of it. */
  end(): Promise<void>;
}

interface RecordedRun {
  readonly directory: string;
  readonly started: RunStarted;
  readonly events: readonly RunEvent[];
  readonly state: RunState;
}

/** Ends the attempts that are under way, at once. */
export async function killAttempts({ plan, tasks }: RunState, runMarker: string): Promise<void> {
  const running = plan.tasks.filter(({ number }) => tasks.get(number).phase === 'running');
  await Promise.all(
    running.map(({ id, number }) =>
      sweep({ marker: attemptMarker(runMarker, id, tasks.get(number).attempt), graceMs: 0 }),
    ),
  );
}

/** One that was under way when a process of the run went. */
export interface UnsettledAttempt {
  /** Of the task. */
  readonly number: number;
  readonly task: string;
  readonly attempt: number;
  readonly asked: string | undefined;
  readonly processes: readonly ProcessIdentity[];
}

export function unsettledAttempts({ events, state }: RecordedRun): readonly UnsettledAttempt[] {
  // Told by the events and not by the state, where a resume that was killed itself has made all of them ready again.
  const open = new Map<string, Omit<UnsettledAttempt, 'number' | 'processes'> & { processes: ProcessIdentity[] }>();
  for (const event of events) {
    const { type } = event;
    if (type === 'attemptStarted') {
      const { task, attempt, asked } = event;
      open.set(task, { task, attempt, asked, processes: [] });
    } else if (type === 'attemptSpawned') open.get(event.task)?.processes.push(event.process);
    else if (type === 'attemptSettled') open.delete(event.task);
  }
  return [...open.values()].flatMap((attempt) => {
    const number = state.plan.numberOf.get(attempt.task);
    return number === undefined ? [] : [{ number, ...attempt }];
  });
}

export function adoptable(
  record: RecordedRun,
  unsettled: readonly UnsettledAttempt[],
  { adopt }: Executor,
): ReadonlyMap<number, Leftover> {
  const leftovers = new Map<number, Leftover>();
  if (adopt === undefined) return leftovers;
  for (const attempt of unsettled) {
    const { asked } = attempt;
    const { phase } = record.state.tasks.get(attempt.number);
    // A task that was answered from elsewhere is through; its attempt is only to be ended.
    if (asked === undefined || (phase !== 'running' && phase !== 'ready')) continue;
    const end = async () => void (await endAttempt(record, attempt));
    leftovers.set(attempt.number, { attempt: attempt.attempt, asked, end });
  }
  return leftovers;
}

/** Ends every process of these attempts that is still there: the caller holds the journal, so none of them has an owner. */
export async function endLeftovers(
  { started }: Pick<RecordedRun, 'started'>,
  attempts: readonly UnsettledAttempt[],
): Promise<readonly ProcessIdentity[]> {
  // Those of runs of earlier versions all carry the one of the run.
  const ofTheRun = { name: markerVariable, value: started.marker };
  const reports = await Promise.all([
    sweep({ marker: ofTheRun }),
    ...attempts.map((attempt) => endAttempt({ started }, attempt)),
  ]);
  return reports.flatMap(({ ended }) => ended);
}

function endAttempt({ started }: Pick<RecordedRun, 'started'>, { task, attempt, processes }: UnsettledAttempt) {
  return sweep({ marker: attemptMarker(started.marker, task, attempt), identities: processes });
}

/** What the last attempts before a crash had kept for an adoption, and it came to none since they were settled. */
export async function forgetSettled({ directory, events }: RecordedRun, executor: Executor): Promise<void> {
  const settled = events.filter((event) => event.type === 'attemptSettled').slice(-settledAtOnce);
  await Promise.all(
    settled.map(({ task, attempt }) => executor.forget?.({ directory: attemptDirectory(directory, task, attempt) })),
  );
}

/** More than are ever settled and not yet forgotten. */
const settledAtOnce = 256;
