/**
 * Whether a sync does anything here. In memory file systems, under a preloaded library that answers for the kernel, and on
 * some virtual disks `fdatasync` comes back at once, and a figure about durable work is then a figure about nothing.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type NanosecondClock, processClock } from './measure.ts';
import { median } from './stats.ts';

export interface DiskReport {
  /** Why syncing proves nothing here; undefined where it takes as long as a device must. */
  readonly doubt?: string;
  /** Medians, of 4 KiB each. */
  readonly writeNs: number;
  readonly fdatasyncNs: number;
  readonly fsyncNs: number;
}

/** The seam: what a sync is, and what is known of the place. */
export interface DiskOperations {
  write(): void;
  fdatasync(): void;
  fsync(): void;
  /** The number of `statfs`, undefined where it is not known. */
  readonly fileSystemType: number | undefined;
  /** What is mapped into this process, a line each; empty where the system does not tell. */
  readonly mappedFiles: string;
}

/** No device answers sooner: the fastest with protected memory take 8 to 15 µs through the kernel. */
const leastSyncNs = 5000;
const trials = 48;

const memoryFileSystems: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

/** Takes 100 syncs and leaves no file. */
export function inspectDisk(directory: string, clock: NanosecondClock = processClock): DiskReport {
  const path = join(directory, 'sync-probe');
  const file = openSync(path, 'w');
  const block = new Uint8Array(4096).fill(0x61);
  try {
    return judgeDisk(
      {
        write: () => writeSync(file, block),
        fdatasync: () => fdatasyncSync(file),
        fsync: () => fsyncSync(file),
        fileSystemType: readFileSystemType(directory),
        mappedFiles: readMappedFiles(),
      },
      clock,
    );
  } finally {
    closeSync(file);
    unlinkSync(path);
  }
}

export function judgeDisk(operations: DiskOperations, clock: NanosecondClock): DiskReport {
  const time = (work: () => void) => {
    const start = clock.now();
    work();
    return clock.now() - start;
  };
  const times = (work: () => void, before: () => void = () => undefined) =>
    median(
      Array.from({ length: trials }, () => {
        before();
        return time(work);
      }),
    );
  const writeNs = times(operations.write);
  operations.fsync();
  const fdatasyncNs = times(operations.fdatasync, operations.write);
  const fsyncNs = times(operations.fsync, operations.write);
  const doubt = findDoubt(operations, { writeNs, fdatasyncNs, fsyncNs });
  return { ...(doubt === undefined ? {} : { doubt }), writeNs, fdatasyncNs, fsyncNs };
}

function findDoubt(
  { fileSystemType, mappedFiles }: DiskOperations,
  { writeNs, fdatasyncNs, fsyncNs }: Omit<DiskReport, 'doubt'>,
): string | undefined {
  const inMemory = fileSystemType === undefined ? undefined : memoryFileSystems.get(fileSystemType);
  if (inMemory !== undefined) return `The folder is on ${inMemory}, which is memory: nothing in it survives.`;
  const shim = /\S*eatmydata\S*/.exec(mappedFiles)?.[0];
  if (shim !== undefined) return `${shim} is loaded, which makes every sync do nothing.`;
  const least = Math.max(leastSyncNs, 2 * writeNs);
  for (const [name, nanoseconds] of Object.entries({ fdatasync: fdatasyncNs, fsync: fsyncNs })) {
    if (nanoseconds >= least) continue;
    return (
      `${name} of 4 KiB takes ${format(nanoseconds)}, a plain write ${format(writeNs)}: ` +
      `no device makes data durable in less than ${format(least)}, so the sync does nothing.`
    );
  }
  return undefined;
}

function format(nanoseconds: number): string {
  return `${(nanoseconds / 1e3).toFixed(1)} µs`;
}

function readFileSystemType(directory: string): number | undefined {
  try {
    return statfsSync(directory).type;
  } catch {
    return undefined; // Not every file system answers; the times are judged all the same.
  }
}

function readMappedFiles(): string {
  try {
    return readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return ''; // Only Linux tells; the times are judged all the same.
  }
}
