/** `cadre-bench run`: measures the cases beside their rivals and keeps a record. */
import { parseArgs } from 'node:util';
import {
  type Command,
  exitCodes,
  folderOptions,
  measuringOptions,
  measuringUsage,
  resolveMeasuring,
} from '../command.ts';
import { countFailures } from '../record.ts';
import { measureAndKeep } from './measure-and-keep.ts';

export const runCommand: Command = {
  summary: 'measure the cases beside their rivals and keep a record',
  usage: ['[package[/case]]', ...measuringUsage],
  async run(args, context) {
    const parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...folderOptions, ...measuringOptions },
    });
    const record = await measureAndKeep(resolveMeasuring(parsed, context));
    return countFailures(record) > 0 ? exitCodes.caseFailed : exitCodes.done;
  },
};
