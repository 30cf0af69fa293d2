/**
 * One fresh process for one variant: calibrated once, or measured for one round. The answer comes over a pipe of its
 * own (descriptor 3), because the code being measured may print, and because an IPC channel would be one more thing in
 * the event loop being timed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ControlName } from './controls.ts';
import type { DiskReport } from './disk-honesty.ts';
import { BenchError, type BenchErrorCode } from './errors.ts';
import type { LeakSeries } from './kinds/leak.ts';
import type { LoadCase, LoadRound } from './kinds/load.ts';
import type { MemoryPoint } from './kinds/memory.ts';
import type { ScenarioRun } from './kinds/scenario.ts';
import type { BatchPlan, Calibration } from './measure.ts';

/** Where the variant is: in a case's file, or one of the controls. */
export type VariantAddress =
  | { readonly file: string; readonly variant: string }
  | { readonly control: ControlName; readonly variant: 'control' };

/** What a process can be asked for, by `type`, and what it answers. */
export type WorkerTask =
  | { readonly type: 'calibrate'; readonly batchMs: number; readonly warmupMs: number }
  | ({ readonly type: 'measure' } & BatchPlan)
  | { readonly type: 'check'; readonly iterations: number }
  | { readonly type: 'load'; readonly overrides: Pick<LoadCase, 'warmupMs' | 'durationMs'> }
  | { readonly type: 'memory'; readonly items: number }
  | { readonly type: 'leak' }
  | { readonly type: 'scenario' }
  | { readonly type: 'inspectDisk' };

export interface WorkerReports {
  readonly calibrate: Calibration & { readonly result: unknown };
  readonly measure: { readonly samples: readonly number[]; readonly peakRssBytes: number };
  readonly check: { readonly result?: unknown };
  readonly load: LoadRound;
  readonly memory: MemoryPoint & { readonly result: unknown };
  readonly leak: LeakSeries & { readonly result: unknown };
  readonly scenario: ScenarioRun;
  readonly inspectDisk: DiskReport;
}

export interface WorkerRequest {
  readonly address: VariantAddress;
  readonly task: WorkerTask;
  readonly directory: string;
}

export type WorkerAnswer =
  | { readonly report: WorkerReports[WorkerTask['type']] }
  | { readonly failed: string; readonly code?: BenchErrorCode };

export interface WorkerOptions {
  /** Each process gets a folder of its own in here, removed with the process. */
  readonly workDirectory: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws {BenchError} BENCH_WORKER_FAILED when the variant threw, was wrong, or its process ended without an answer;
 * or with the code of a BenchError that the process met
 * @throws {BenchError} BENCH_WORKER_TIMEOUT when it took longer than `timeoutMs`; the process and its group are killed
 */
export async function runWorker<Type extends WorkerTask['type']>(
  address: VariantAddress,
  task: Extract<WorkerTask, { readonly type: Type }>,
  options: WorkerOptions,
): Promise<WorkerReports[Type]> {
  options.signal?.throwIfAborted();
  await mkdir(options.workDirectory, { recursive: true });
  const directory = await mkdtemp(join(options.workDirectory, 'process-'));
  try {
    const answer = await converse({ address, task, directory }, options);
    if ('report' in answer) return answer.report as WorkerReports[Type];
    const message = `${describeAddress(address)} failed: ${answer.failed}`;
    throw new BenchError(answer.code ?? 'BENCH_WORKER_FAILED', message);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

const entry = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../dist/worker-entry.js' : './worker-entry.js', import.meta.url),
);

async function converse(request: WorkerRequest, { timeoutMs, signal }: WorkerOptions): Promise<WorkerAnswer> {
  const { NODE_OPTIONS: _, ...environment } = process.env;
  const child = spawn(process.execPath, ['--expose-gc', entry, JSON.stringify(request)], {
    cwd: request.directory,
    env: { ...environment, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  let endedBy: 'timeout' | 'abort' | undefined;
  const end = (reason: 'timeout' | 'abort') => {
    endedBy = reason;
    killGroup(child);
  };
  const onAbort = () => end('abort');
  const timer = setTimeout(() => end('timeout'), timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  const answer = collect(child.stdio[3] as Readable, Number.POSITIVE_INFINITY);
  const complaint = collect(child.stderr as Readable, 4096);
  try {
    await once(child, 'close');
  } catch (cause) {
    throw new BenchError('BENCH_WORKER_FAILED', `${process.execPath} could not be started.`, { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
  if (endedBy === 'abort') throw signal?.reason;
  const name = describeAddress(request.address);
  if (endedBy === 'timeout') {
    throw new BenchError(
      'BENCH_WORKER_TIMEOUT',
      `${name} took longer than ${timeoutMs} ms and was ended; do less per iteration.`,
    );
  }
  if (answer.text() !== '') return JSON.parse(answer.text());
  const how = child.exitCode === null ? `was ended by ${child.signalCode}` : `exited with code ${child.exitCode}`;
  throw new BenchError('BENCH_WORKER_FAILED', `${name} ${how} without an answer. ${complaint.text().trim()}`);
}

function describeAddress(address: VariantAddress): string {
  return 'file' in address ? `${address.variant} of ${address.file}` : `The control "${address.control}"`;
}

/** Also what the variant started. On Windows only the process itself. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** The last `maxLength` characters that a stream gave. */
function collect(stream: Readable, maxLength: number): { text(): string } {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text = `${text}${chunk}`.slice(-maxLength);
  });
  return { text: () => text };
}
