/** `cadre-bench report`: prints a kept record, the newest where no file is named. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Command, exitCodes, folderOptions, onlyPositional, resolveFolders, UsageError } from '../command.ts';
import { BenchError } from '../errors.ts';
import { type BenchmarkRecord, formatRecord, readRecord } from '../record.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderEnvironment, renderPackage } from '../report/terminal.ts';

const renderers: Readonly<Record<string, (record: BenchmarkRecord) => string>> = {
  terminal: (record) => [renderEnvironment(record.environment), '', ...record.packages.map(renderPackage)].join('\n'),
  markdown: renderMarkdown,
  json: formatRecord,
};

export const reportCommand: Command = {
  summary: 'print a kept record (the newest, or the file named)',
  usage: ['[file]', `--format FORMAT     ${Object.keys(renderers).join(', ')}`],
  async run(args, { screen }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...folderOptions, format: { type: 'string', default: 'terminal' } },
    });
    const render = Object.hasOwn(renderers, values.format) ? renderers[values.format] : undefined;
    if (render === undefined) {
      throw new UsageError(`--format must be one of ${Object.keys(renderers).join(', ')}, not "${values.format}".`);
    }
    const file = onlyPositional(positionals);
    const { resultsDirectory } = resolveFolders(values);
    const record = await readRecord(file === undefined ? await findNewestRecord(resultsDirectory) : resolve(file));
    screen.write(`${render(record)}\n`);
    return exitCodes.done;
  },
};

async function findNewestRecord(directory: string): Promise<string> {
  const names = await readdir(directory).catch(() => []);
  const newest = names
    .filter((name) => /^\d{4}-.*\.json$/.test(name))
    .sort()
    .at(-1);
  if (newest !== undefined) return join(directory, newest);
  throw new BenchError('BENCH_RECORD_NOT_FOUND', `There is no record in ${directory}: run \`cadre-bench run\` first.`);
}
