/** What a figure depends on besides the code: kept in every record, so that a reader can judge it. */
import { execFile } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface Environment {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  readonly release: string;
  readonly architecture: string;
  readonly node: string;
  readonly v8: string;
  /** Over the last minute; zero on Windows. */
  readonly loadAverage: number;
  /** Share of all cores' time that something was using just before the run, 0 to 1. */
  readonly busyShare: number;
  /** Undefined outside a git repository. */
  readonly commit?: string;
  /** Whether tracked files differed from the commit. */
  readonly dirty?: boolean;
}

/** Above this share of busy cores a run is called too noisy before it starts. */
export const busyShareLimit = 0.3;

/** Takes one second: how busy the machine is has to be watched for a while. */
export async function readEnvironment(directory: string, signal?: AbortSignal): Promise<Environment> {
  const [busyShare, commit] = await Promise.all([sampleBusyShare(signal), readCommit(directory)]);
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: platform(),
    release: release(),
    architecture: arch(),
    node: process.version,
    v8: process.versions.v8,
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    busyShare,
    ...commit,
  };
}

async function sampleBusyShare(signal?: AbortSignal): Promise<number> {
  const before = cpuTimes();
  await sleep(1000, undefined, signal === undefined ? {} : { signal });
  const after = cpuTimes();
  const total = after.total - before.total;
  return total === 0 ? 0 : Math.round((1 - (after.idle - before.idle) / total) * 100) / 100;
}

function cpuTimes(): { readonly idle: number; readonly total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}

async function readCommit(directory: string): Promise<{ commit?: string; dirty?: boolean }> {
  const git = (...args: string[]) => promisify(execFile)('git', args, { cwd: directory });
  try {
    const { stdout: commit } = await git('rev-parse', 'HEAD');
    const { stdout: changes } = await git('status', '--porcelain', '--untracked-files=no');
    return { commit: commit.trim(), dirty: changes.trim() !== '' };
  } catch {
    return {}; // No git or no repository: a record without a commit is still a record.
  }
}
