/** `cadre-bench workload`: lists the workloads, or measures one or all of them and holds them against their claims. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Command,
  exitCodes,
  folderOptions,
  measuringOptions,
  measuringUsage,
  resolveMeasuring,
} from '../command.ts';
import type { Screen } from '../progress.ts';
import { countFailures } from '../record.ts';
import { formatColumns } from '../report/format.ts';
import { renderWorkloads } from '../report/workloads.ts';
import { findWorkloads, loadWorkload } from '../workload.ts';
import { runWorkloads } from '../workload-run.ts';
import { keepRecord, measure } from './measure-and-keep.ts';

export const workloadCommand: Command = {
  summary: 'hold a workload (or all) against what was claimed of it; without a name, list them',
  usage: ['[name | all]', ...measuringUsage, '--workloads DIR     built workloads (benchmarks/dist/workloads)'],
  async run(args, context) {
    const parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...folderOptions,
        ...measuringOptions,
        workloads: { type: 'string', default: 'benchmarks/dist/workloads' },
      },
    });
    const directory = resolve(parsed.values.workloads);
    const options = resolveMeasuring(parsed, context);
    if (options.filter === undefined) return list(directory, context.screen);
    const record = await measure(options, await findWorkloads(directory, options.filter), runWorkloads);
    context.screen.write(`\n${renderWorkloads(record)}\n`);
    for (const { case: name, message } of record.packages.flatMap(({ failures }) => failures)) {
      context.screen.write(`${name} could not be measured: ${message}\n`);
    }
    await keepRecord(options, record);
    return countFailures(record) > 0 ? exitCodes.caseFailed : exitCodes.done;
  },
};

async function list(directory: string, screen: Screen): Promise<number> {
  const found = await findWorkloads(directory, 'all');
  const rows = await Promise.all(
    found.map(async ({ name, file }) => [name.slice('workloads/'.length), (await loadWorkload(file)).question]),
  );
  screen.write(`${formatColumns(rows, [false, false]).join('\n')}\n`);
  return exitCodes.done;
}
