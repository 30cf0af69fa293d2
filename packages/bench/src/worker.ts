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
import { BenchError } from './errors.ts';
import type { BatchPlan, Calibration } from './measure.ts';

/** Where the variant is: in a case's file, or one of the controls. */
export type VariantAddress =
  | { readonly file: string; readonly variant: string }
  | { readonly control: ControlName; readonly variant: 'control' };

export type WorkerTask =
  | { readonly type: 'calibrate'; readonly batchMs: number; readonly warmupMs: number }
  | ({ readonly type: 'measure' } & BatchPlan);

export interface WorkerRequest {
  readonly address: VariantAddress;
  readonly task: WorkerTask;
  readonly directory: string;
}

export type WorkerReport =
  | ({ readonly type: 'calibrated'; readonly result: unknown } & Calibration)
  | { readonly type: 'measured'; readonly samples: readonly number[]; readonly peakRssBytes: number }
  | { readonly type: 'failed'; readonly message: string };

export interface WorkerOptions {
  /** Each process gets a folder of its own in here, removed with the process. */
  readonly workDirectory: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws {BenchError} BENCH_WORKER_FAILED when the variant threw, was wrong, or its process ended without an answer
 * @throws {BenchError} BENCH_WORKER_TIMEOUT when it took longer than `timeoutMs`; the process and its group are killed
 */
export async function runWorker<Type extends 'calibrate' | 'measure'>(
  address: VariantAddress,
  task: WorkerTask & { readonly type: Type },
  options: WorkerOptions,
): Promise<Extract<WorkerReport, { type: Type extends 'calibrate' ? 'calibrated' : 'measured' }>>;
export async function runWorker(
  address: VariantAddress,
  task: WorkerTask,
  options: WorkerOptions,
): Promise<WorkerReport> {
  options.signal?.throwIfAborted();
  await mkdir(options.workDirectory, { recursive: true });
  const directory = await mkdtemp(join(options.workDirectory, 'process-'));
  try {
    const report = await converse({ address, task, directory }, options);
    if (report.type === 'failed') {
      throw new BenchError('BENCH_WORKER_FAILED', `${describeAddress(address)} failed: ${report.message}`);
    }
    return report;
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

const entry = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../dist/worker-entry.js' : './worker-entry.js', import.meta.url),
);

async function converse(request: WorkerRequest, { timeoutMs, signal }: WorkerOptions): Promise<WorkerReport> {
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
