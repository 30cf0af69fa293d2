/**
 * Every way in which this package refuses or fails. `SpawnError` is about programs, `ThreadError` and `ProcessError` about
 * the tasks of pools; each code is permanent and explained in the README.
 */

/** Why a program could not be started or looked after; the README says when each comes and what to do. */
export type SpawnErrorCode =
  | 'SPAWN_PROGRAM_NOT_FOUND'
  | 'SPAWN_PERMISSION_DENIED'
  | 'SPAWN_DIRECTORY_NOT_FOUND'
  | 'SPAWN_FAILED'
  | 'SPAWN_CALLBACK_FAILED'
  | 'SPAWN_PROCESS_LIST_FAILED'
  | 'SPAWN_SLOTS_UNAVAILABLE'
  | 'SPAWN_DETACHED_FOLDER'
  | 'SPAWN_CPU_SET_UNAVAILABLE'
  | 'SPAWN_CONTAINMENT_UNAVAILABLE'
  | 'SPAWN_RESTART_INTENSITY';

/** Why a task of a thread pool failed; the README says when each comes and what to do. */
export type ThreadErrorCode =
  | 'THREAD_TIMEOUT'
  | 'THREAD_CRASHED'
  | 'THREAD_TASK_FAILED'
  | 'THREAD_MODULE_NOT_FOUND'
  | 'THREAD_NOT_CLONEABLE'
  | 'THREAD_CALLBACK_FAILED'
  | 'THREAD_POOL_FULL'
  | 'THREAD_POOL_CLOSED';

/** Why a task of a process pool failed; the README says when each comes and what to do. */
export type ProcessErrorCode =
  | 'PROCESS_TIMEOUT'
  | 'PROCESS_CRASHED'
  | 'PROCESS_TASK_FAILED'
  | 'PROCESS_MODULE_NOT_FOUND'
  | 'PROCESS_NOT_CLONEABLE'
  | 'PROCESS_CALLBACK_FAILED'
  | 'PROCESS_POOL_FULL'
  | 'PROCESS_POOL_CLOSED';

export class SpawnerError extends Error {
  readonly code: SpawnErrorCode | ThreadErrorCode | ProcessErrorCode;

  constructor(code: SpawnErrorCode | ThreadErrorCode | ProcessErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SpawnerError';
    this.code = code;
  }
}

export class SpawnError extends SpawnerError {
  declare readonly code: SpawnErrorCode;

  constructor(code: SpawnErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'SpawnError';
  }
}

export class ThreadError extends SpawnerError {
  declare readonly code: ThreadErrorCode;

  constructor(code: ThreadErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'ThreadError';
  }
}

export class ProcessError extends SpawnerError {
  declare readonly code: ProcessErrorCode;

  constructor(code: ProcessErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'ProcessError';
  }
}
