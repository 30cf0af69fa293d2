/** `cadre-bench report`: prints a kept record, the newest where no file is named. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { defineCommand, exitCodes, resolveFolders, UsageError } from '../command.ts';
import { BenchError } from '../errors.ts';
import { type BenchmarkRecord, formatRecord, readRecord } from '../record.ts';
import { readHistory } from '../report/history.ts';
import { renderHtml } from '../report/html.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderEnvironment, renderPackage } from '../report/terminal.ts';
import { renderWorkloads } from '../report/workloads.ts';

interface ReportSources {
  readonly baselinesDirectory: string;
  readonly resultsDirectory: string;
}

const renderers: Readonly<
  Record<string, (record: BenchmarkRecord, sources: ReportSources) => string | Promise<string>>
> = {
  terminal: (record) =>
    [renderEnvironment(record.environment), '', ...record.packages.map(renderPackage), renderWorkloads(record)].join(
      '\n',
    ),
  markdown: renderMarkdown,
  json: formatRecord,
  html: async (record, sources) =>
    renderHtml(record, {
      history: await readHistory(sources),
      commandFor: (name) =>
        `${ownCommand()} ${name.startsWith('workloads/') ? name.replace('workloads/', 'workload ') : `run ${name}`}`,
    }),
};

export const reportCommand = defineCommand({
  summary: 'print a kept record (the newest, or the file named)',
  positional: '[file]',
  options: {
    format: { type: 'string', default: 'terminal', value: 'FORMAT', help: Object.keys(renderers).join(', ') },
    out: { type: 'string', value: 'FILE', help: 'write it there instead of printing it' },
  },
  async run({ values, positional: file }, { screen }) {
    const render = Object.hasOwn(renderers, values.format) ? renderers[values.format] : undefined;
    if (render === undefined) {
      throw new UsageError(`--format must be one of ${Object.keys(renderers).join(', ')}, not "${values.format}".`);
    }
    const folders = resolveFolders(values);
    const record = await readRecord(
      file === undefined ? await findNewestRecord(folders.resultsDirectory) : resolve(file),
    );
    const text = `${await render(record, folders)}\n`;
    if (values.out === undefined) {
      screen.write(text);
    } else {
      await mkdir(dirname(resolve(values.out)), { recursive: true });
      await writeFile(values.out, text);
      screen.write(`report: ${values.out}\n`);
    }
    return exitCodes.done;
  },
});

/** As it was started, so that what the page says can be typed in. */
function ownCommand(): string {
  const program = relative(process.cwd(), process.argv[1] ?? '');
  const isInstalled = program.split(sep).some((part) => part === 'node_modules' || part === '..');
  return isInstalled ? 'cadre-bench' : `node ${program}`;
}

async function findNewestRecord(directory: string): Promise<string> {
  const names = await readdir(directory).catch(() => []);
  const newest = names
    .filter((name) => /^\d{4}-.*\.json$/.test(name))
    .sort()
    .at(-1);
  if (newest !== undefined) return join(directory, newest);
  throw new BenchError('BENCH_RECORD_NOT_FOUND', `There is no record in ${directory}: run \`cadre-bench run\` first.`);
}
