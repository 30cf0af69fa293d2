/** Start, limit and end worker processes and threads; none survives unseen. */
export { AdaptiveLimit, type AdaptiveLimitOptions, type LimitSample } from './adaptive-limit.ts';
export { type RetryPolicy, retryDelayMs } from './backoff.ts';
export type { ContainmentLevel } from './container.ts';
export type { Containment } from './containment.ts';
export { type Adopted, type AdoptOptions, adopt, type DetachedOptions, startDetached } from './detached.ts';
export { defaultInheritedEnvironment, type ProcessMarker } from './environment.ts';
export {
  ProcessError,
  type ProcessErrorCode,
  SpawnError,
  type SpawnErrorCode,
  SpawnerError,
  ThreadError,
  type ThreadErrorCode,
} from './errors.ts';
export { findProgram } from './find-program.ts';
export {
  type EventLoopDelay,
  type MonitorSample,
  openResourceMonitor,
  type ProcessUse,
  type ResourceMonitor,
  type ResourceMonitorOptions,
} from './monitor.ts';
export { createProcessPool, type ProcessPoolOptions } from './process-pool.ts';
export { identifyProcess, isProcessAlive, type ProcessIdentity } from './process-table.ts';
export type { EndedBy, ProcessResult } from './result.ts';
export type { EndOptions, RunningProcess } from './running-process.ts';
export { type ResourceSample, sampleProcess } from './sample.ts';
export { type SpawnOptions, spawnProcess } from './spawn.ts';
export { openSpawnSlots, type SpawnSlots, type SpawnSlotsOptions, type SpawnSlotsStats } from './spawn-slots.ts';
export {
  type ChildSpecification,
  type SupervisedWorker,
  type SuperviseOptions,
  type SupervisionStrategy,
  type Supervisor,
  supervise,
} from './supervise.ts';
export { type SweepOptions, sweep } from './sweep.ts';
export { type EndReport, type EndTreeOptions, endProcessTree } from './terminate.ts';
export { createThreadPool, type ThreadPool, type ThreadPoolOptions } from './thread-pool.ts';
export type {
  WorkerPool,
  WorkerPoolOptions,
  WorkerPoolStats,
  WorkerTask,
  WorkerTaskContext,
} from './worker-pool.ts';
