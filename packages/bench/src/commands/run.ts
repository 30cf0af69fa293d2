/** `cadre-bench run`: measures the cases beside their rivals and keeps a record. */
import { defineCommand, exitCodes, measuringOptions, resolveMeasuring } from '../command.ts';
import { countFailures } from '../record.ts';
import { measureAndKeep } from './measure-and-keep.ts';

export const runCommand = defineCommand({
  summary: 'measure the cases beside their rivals and keep a record',
  positional: '[package[/case]]',
  options: measuringOptions,
  async run(typed, context) {
    const record = await measureAndKeep(resolveMeasuring(typed, context));
    return countFailures(record) > 0 ? exitCodes.caseFailed : exitCodes.done;
  },
});
