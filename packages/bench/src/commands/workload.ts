/** `cadre-bench workload`: lists the workloads, or measures one or all of them and holds them against their claims. */
import { resolve } from 'node:path';
import { defineCommand, exitCodes, measuringOptions, resolveMeasuring } from '../command.ts';
import { describeLeftOut } from '../needs.ts';
import type { Screen } from '../progress.ts';
import { countFailures } from '../record.ts';
import { formatColumns } from '../report/format.ts';
import { renderWorkloads } from '../report/workloads.ts';
import { findWorkloads, loadWorkload } from '../workload.ts';
import { runWorkloads } from '../workload-run.ts';
import { keepRecord, measure } from './measure-and-keep.ts';

export const workloadCommand = defineCommand({
  summary: 'hold a workload (or all) against what was claimed of it; without a name, list them',
  positional: '[name | all]',
  options: {
    ...measuringOptions,
    workloads: { type: 'string', default: 'benchmarks/dist/workloads', value: 'DIR', help: 'built workloads' },
  },
  async run(typed, context) {
    const directory = resolve(typed.values.workloads);
    const options = resolveMeasuring(typed, context);
    if (options.filter === undefined) return list(directory, context.screen);
    const record = await measure(options, await findWorkloads(directory, options.filter), { run: runWorkloads });
    context.screen.write(`\n${renderWorkloads(record)}\n`);
    for (const entry of record.packages.flatMap(({ leftOut }) => leftOut)) {
      context.screen.write(`${describeLeftOut(entry)}\n`);
    }
    for (const { case: name, message } of record.packages.flatMap(({ failures }) => failures)) {
      context.screen.write(`${name} could not be measured: ${message}\n`);
    }
    await keepRecord(options, record);
    return countFailures(record) > 0 ? exitCodes.caseFailed : exitCodes.done;
  },
});

async function list(directory: string, screen: Screen): Promise<number> {
  const found = await findWorkloads(directory, 'all');
  const rows = await Promise.all(
    found.map(async ({ name, file }) => [name.slice('workloads/'.length), (await loadWorkload(file)).question]),
  );
  screen.write(`${formatColumns(rows, [false, false]).join('\n')}\n`);
  return exitCodes.done;
}
