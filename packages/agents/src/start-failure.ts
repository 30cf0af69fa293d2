/** Why a program never began, as an outcome; what is no matter of the program is thrown again. */
import { SpawnError } from '@cadre/spawner';
import type { LaunchPlan } from './adapter.ts';
import { type Failure, failure } from './outcome.ts';

export const nulInArgument = failure(
  'invalidRequest',
  'An argument of the agent holds a NUL character, which no program can be given; pass the prompt on stdin.',
);

export function startFailure(error: unknown, plan: LaunchPlan, signal: AbortSignal | undefined): Failure {
  if (signal?.aborted === true && error === signal.reason) {
    return failure('cancelled', 'The agent was cancelled before it started.');
  }
  if (!(error instanceof SpawnError)) throw error;
  switch (error.code) {
    case 'SPAWN_PROGRAM_NOT_FOUND':
      return failure('programNotFound', `${plan.howToInstall} ${error.message}`);
    case 'SPAWN_PERMISSION_DENIED':
      return failure('programNotFound', error.message);
    case 'SPAWN_DIRECTORY_NOT_FOUND':
      return failure('invalidRequest', error.message);
    case 'SPAWN_CPU_SET_UNAVAILABLE':
    case 'SPAWN_CONTAINMENT_UNAVAILABLE':
      return failure('invalidRequest', error.message);
    case 'SPAWN_FAILED':
      return failure('failed', error.message, { retryable: isShortage(error.cause) });
    case 'SPAWN_CALLBACK_FAILED':
      throw error.cause;
    default:
      throw error;
  }
}

/** For a program that something else will start, which would not tell it from one that fails. */
export async function programMissing(
  plan: LaunchPlan,
  path: string,
  findProgram: (name: string, path: string) => Promise<string | undefined>,
): Promise<Failure | undefined> {
  const [name = ''] = plan.command;
  if ((await findProgram(name, path)) !== undefined) return undefined;
  return failure('programNotFound', `${plan.howToInstall} ${name} was not found on PATH (${path}).`);
}

function isShortage(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'EAGAIN' || code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM';
}
