/** The process in which one probe of a workload runs: a request in argv, one answer on descriptor 3. */
import { writeSync } from 'node:fs';
import { loadWorkload } from './workload.ts';
import type { ProbeAnswer, ProbeRequest } from './workload-run.ts';

const request: ProbeRequest = JSON.parse(process.argv[2] ?? '');
writeSync(3, JSON.stringify(await answer(request)));
process.exit(0);

async function answer({ file, probe: name, directory }: ProbeRequest): Promise<ProbeAnswer> {
  try {
    const probe = (await loadWorkload(file)).probes[name];
    if (probe === undefined) return { message: 'There is no such probe.' };
    return { figure: await probe({ directory }) };
  } catch (error) {
    return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
