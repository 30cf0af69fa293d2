/** Which processors a program and all it starts may run on. Set in the process that becomes the program, before it does. */
import { SpawnError } from './errors.ts';
import { findProgram } from './find-program.ts';
import { procAvailable, readSmallFile } from './process-table.ts';
import { quote } from './shell-words.ts';

export function checkCpus(cpus: readonly number[]): void {
  if (!Array.isArray(cpus) || cpus.length === 0) throw new TypeError('cpus must be a list of at least one processor');
  for (const [index, cpu] of cpus.entries()) {
    if (!Number.isSafeInteger(cpu) || cpu < 0 || cpus.indexOf(cpu) !== index) {
      throw new RangeError(`cpus[${index}] must be an integer of at least 0 that is listed once, got ${String(cpu)}`);
    }
  }
}

/**
 * A line of shell that binds the shell itself, and so what it will exec.
 * @throws {SpawnError} SPAWN_CPU_SET_UNAVAILABLE where this process may not use one of them, and where there is no `taskset`.
 */
export async function cpuSetLine(cpus: readonly number[]): Promise<string> {
  const allowed = allowedCpus();
  if (allowed === undefined) throw unavailable('they can be set on Linux only; leave `cpus` out');
  const refused = cpus.filter((cpu) => !allowed.includes(cpu));
  // The system would silently use the others.
  if (refused.length > 0) {
    throw unavailable(`${refused.join(', ')} may not be used by this process; choose among ${allowed.join(', ')}`);
  }
  const taskset = await findProgram('taskset');
  if (taskset === undefined) throw unavailable('`taskset` is not on PATH; install util-linux');
  return `${quote(taskset)} -p -c ${cpus.join(',')} $$ >/dev/null`;
}

/** The processors this process may use; undefined where there is no `/proc`. */
export function allowedCpus(): readonly number[] | undefined {
  if (!procAvailable) return undefined;
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readSmallFile('/proc/self/status') ?? '')?.[1];
  return list?.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function unavailable(why: string): SpawnError {
  return new SpawnError('SPAWN_CPU_SET_UNAVAILABLE', `The processors asked for can't be had: ${why}.`);
}
