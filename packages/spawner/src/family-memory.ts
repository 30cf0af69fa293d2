/**
 * The memory of a program with everything it started. Resident sizes count a page once for each process that has it, and
 * what forks share is much of it; so they are only the quick look, and what seems too much is counted again exactly, each
 * page divided by how many have it.
 */
import { type ProcessRow, procAvailable, readSmallFile } from './process-table.ts';
import { sampleProcess, statusBytes } from './sample.ts';

/** Cost: one small file for each process; above `exactAboveBytes` the kernel also walks the memory of each. */
export async function familyMemoryBytes(rows: readonly ProcessRow[], exactAboveBytes: number): Promise<number> {
  if (!procAvailable)
    return sum(await Promise.all(rows.map(async ({ pid }) => (await sampleProcess(pid))?.rssBytes ?? 0)));
  const resident = sum(rows.map(({ pid }) => residentBytes(pid)));
  if (resident <= exactAboveBytes) return resident;
  return sum(rows.map(({ pid }) => proportionalBytes(pid) ?? residentBytes(pid)));
}

function residentBytes(pid: number): number {
  return statusBytes(readSmallFile(`/proc/${pid}/status`), 'VmRSS') ?? 0;
}

/** Undefined for one that has gone or may not be asked, and on kernels before 4.14. */
function proportionalBytes(pid: number): number | undefined {
  return statusBytes(readSmallFile(`/proc/${pid}/smaps_rollup`), 'Pss');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
