/** What a process uses at one moment: from `/proc` on Linux, from `ps` elsewhere. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { type ProcessIdentity, procAvailable, readSmallFile, startTimeOf, statFields } from './process-table.ts';

export interface ResourceSample {
  readonly pid: number;
  readonly rssBytes: number;
  /** Linux only. */
  readonly peakRssBytes?: number;
  /** User and system time since the process started. */
  readonly cpuMs: number;
  /** Linux only. */
  readonly threads?: number;
  /** Open file descriptors; Linux only, and only of processes of the same user. */
  readonly fileDescriptors?: number;
}

/** USER_HZ: what the kernel promises user space on every architecture Node runs on, whatever its own tick. */
const ticksPerSecond = 100;

/** Undefined when there is no such process. Cost: three small files on Linux, one `ps` elsewhere. */
export async function sampleProcess(pid: number): Promise<ResourceSample | undefined> {
  return procAvailable ? sampleProc(pid) : sampleWithPs(pid);
}

/** The same of the very process that is meant, not of a later holder of its pid. Cost: three small files on Linux. */
export async function sampleIdentity(identity: ProcessIdentity): Promise<ResourceSample | undefined> {
  return procAvailable ? sampleProc(identity.pid, identity.startTime) : sampleWithPs(identity.pid);
}

/** The largest resident memory so far; undefined when the process is gone, or where there is no `/proc`. */
export function peakMemoryBytes(pid: number): number | undefined {
  return procAvailable ? statusBytes(readSmallFile(`/proc/${pid}/status`), 'VmHWM') : undefined;
}

function sampleProc(pid: number, startTime?: string): ResourceSample | undefined {
  const stat = readSmallFile(`/proc/${pid}/stat`);
  const status = readSmallFile(`/proc/${pid}/status`);
  if (stat === undefined || status === undefined) return undefined;
  const fields = statFields(stat);
  if (fields[0] === 'Z' && fields[17] === '1') return undefined;
  if (startTime !== undefined && startTimeOf(fields) !== startTime) return undefined;
  const peakRssBytes = statusBytes(status, 'VmHWM');
  const fileDescriptors = countFileDescriptors(pid);
  return {
    pid,
    rssBytes: statusBytes(status, 'VmRSS') ?? 0,
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond,
    threads: Number(fields[17]),
    ...(peakRssBytes !== undefined && { peakRssBytes }),
    ...(fileDescriptors !== undefined && { fileDescriptors }),
  };
}

/** A line `<name>: <number> kB` of the status files under `/proc`. */
export function statusBytes(status: string | undefined, name: string): number | undefined {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status ?? '')?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

function countFileDescriptors(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    // Another user's process, or one that has just gone: the rest of the sample stands.
    return undefined;
  }
}

async function sampleWithPs(pid: number): Promise<ResourceSample | undefined> {
  const text = await new Promise<string>((resolve) => {
    const columns = ['-p', String(pid), '-o', 'pid=,rss=,time='];
    // A failing `ps` is how it says that there is no such process.
    execFile('ps', columns, (_error, stdout) => resolve(stdout));
  });
  return parsePsSample(text);
}

/** One line of `ps -o pid=,rss=,time=`; time is `[[dd-]hh:]mm:ss[.cc]`. */
export function parsePsSample(line: string): ResourceSample | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(?:(\d+)-)?((?:\d+:)*\d+(?:\.\d+)?)\s*$/.exec(line);
  if (match === null) return undefined;
  const [, pid, kibibytes, days = '0', time = '0'] = match;
  const seconds = time.split(':').reduce((total, part) => total * 60 + Number(part), 0);
  return { pid: Number(pid), rssBytes: Number(kibibytes) * 1024, cpuMs: (Number(days) * 86_400 + seconds) * 1000 };
}
