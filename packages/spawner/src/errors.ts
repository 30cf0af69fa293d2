/**
 * Every way in which this package refuses or fails. `SpawnError` is about processes, `ThreadError` about the thread
 * pool; each code is permanent and explained in the README.
 */

export type SpawnErrorCode =
  | 'SPAWN_PROGRAM_NOT_FOUND'
  | 'SPAWN_PERMISSION_DENIED'
  | 'SPAWN_DIRECTORY_NOT_FOUND'
  | 'SPAWN_FAILED'
  | 'SPAWN_CALLBACK_FAILED'
  | 'SPAWN_PROCESS_LIST_FAILED'
  | 'SPAWN_SLOTS_UNAVAILABLE'
  | 'SPAWN_DETACHED_FOLDER'
  | 'SPAWN_RESTART_INTENSITY';

export type ThreadErrorCode =
  | 'THREAD_TIMEOUT'
  | 'THREAD_CRASHED'
  | 'THREAD_TASK_FAILED'
  | 'THREAD_MODULE_NOT_FOUND'
  | 'THREAD_NOT_CLONEABLE'
  | 'THREAD_CALLBACK_FAILED'
  | 'THREAD_POOL_FULL'
  | 'THREAD_POOL_CLOSED';

export class SpawnerError extends Error {
  readonly code: SpawnErrorCode | ThreadErrorCode;

  constructor(code: SpawnErrorCode | ThreadErrorCode, message: string, options?: ErrorOptions) {
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
