/** Measures workloads as cases, runs their probes in fresh processes, and holds both against what was claimed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { BenchError } from './errors.ts';
import type { BenchmarkRecord, CaseFailure, CaseRecord, WorkloadRecord } from './record.ts';
import { type RunOptions, runBenchmarks } from './run.ts';
import { judgeClaim, loadWorkload, workloadFigures } from './workload.ts';

export interface ProbeRequest {
  readonly file: string;
  readonly probe: string;
  readonly directory: string;
}

export type ProbeAnswer = { readonly figure: number } | { readonly message: string };

/** @param options.cases  as `findWorkloads` gives them */
export async function runWorkloads(options: RunOptions): Promise<BenchmarkRecord> {
  const record = await runBenchmarks(options);
  const workloads: WorkloadRecord[] = [];
  const failures: CaseFailure[] = [];
  for (const found of options.cases) {
    const entry = record.packages.flatMap(({ cases }) => cases).find(({ name }) => name === found.name);
    if (entry === undefined) continue; // It is among the failures of its package, or among what was left out.
    try {
      workloads.push(await judgeWorkload(found.file, entry, record.settings.rounds, options));
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.push({
        case: found.name,
        code: error instanceof BenchError ? error.code : 'failed',
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }
  const packages = record.packages.map((entry) => ({ ...entry, failures: [...entry.failures, ...failures] }));
  return { ...record, packages, workloads };
}

async function judgeWorkload(
  file: string,
  entry: CaseRecord,
  rounds: number,
  options: RunOptions,
): Promise<WorkloadRecord> {
  const workload = await loadWorkload(file);
  const probes: Record<string, number[]> = {};
  try {
    for (const probe of Object.keys(workload.probes)) {
      const figures: number[] = [];
      for (let round = 0; round < rounds; round += 1) figures.push(await runProbe(file, probe, options));
      probes[probe] = figures;
    }
  } finally {
    await rm(options.workDirectory, { recursive: true, force: true, maxRetries: 3 });
  }
  const figures = workloadFigures(entry, probes);
  return { name: entry.name, probes, claims: workload.claims.map((claim) => judgeClaim(claim, figures)) };
}

const entryFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../dist/probe-entry.js' : './probe-entry.js', import.meta.url),
);

async function runProbe(file: string, probe: string, options: RunOptions): Promise<number> {
  const { workDirectory, signal, timeoutMs = 60_000 } = options;
  signal?.throwIfAborted();
  await mkdir(workDirectory, { recursive: true });
  const directory = await mkdtemp(join(workDirectory, 'probe-'));
  const request: ProbeRequest = { file, probe, directory };
  const child = spawn(process.execPath, [entryFile, JSON.stringify(request)], {
    cwd: directory,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal }),
  });
  let text = '';
  (child.stdio[3] as Readable).setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  try {
    await once(child, 'close');
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  if (text === '') {
    const how = child.exitCode === null ? `was ended by ${child.signalCode}` : `exited with code ${child.exitCode}`;
    throw new BenchError('BENCH_WORKER_FAILED', `The probe "${probe}" of ${file} ${how} without an answer.`);
  }
  const answer: ProbeAnswer = JSON.parse(text);
  if ('figure' in answer) return answer.figure;
  throw new BenchError('BENCH_WORKER_FAILED', `The probe "${probe}" of ${file} failed: ${answer.message}`);
}
