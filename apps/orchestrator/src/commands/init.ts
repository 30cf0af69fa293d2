/** `cadre init`: a small workflow that runs as it stands, and what an editor needs to help with the next one. */
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { workflowSchema } from '@cadre/workflow';
import { openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { firstAgent, firstWorkflow } from '../first-workflow.ts';
import type { Host } from '../host.ts';

export async function init(host: Host, directory: string | undefined, options: SharedOptions): Promise<number> {
  const console = openConsole(host, options);
  const folder = resolve(host.directory, directory ?? options.project ?? '.');
  const files: Readonly<Record<string, string>> = {
    'workflow.yaml': firstWorkflow,
    'agents/count-words.mjs': firstAgent,
  };
  for (const name of Object.keys(files)) {
    if (!(await exists(join(folder, name)))) continue;
    const message = `${join(folder, name)} is there already, and init overwrites nothing. Give another folder: cadre init <dir>.`;
    throw new CadreError('CADRE_FILE_EXISTS', message);
  }
  const written: string[] = [];
  const write = async (name: string, content: string, flag: 'wx' | 'w'): Promise<void> => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { flag });
    written.push(path);
  };
  for (const [name, content] of Object.entries(files)) await write(name, content, 'wx');
  // Ours to replace: it is made from the version that runs.
  await write('.cadre/workflow.schema.json', `${JSON.stringify(workflowSchema, null, 2)}\n`, 'w');
  const ignored = await ignoreProjectFolder(folder);
  if (ignored !== undefined) written.push(ignored);

  const next = nextCommand(console.command('run'), relative(host.directory, folder));
  if (console.json) console.print(JSON.stringify({ written, next }, null, 2));
  else {
    for (const path of written)
      console.print(`${path === ignored ? 'added to' : 'wrote   '} ${relative(host.directory, path)}`);
    console.print(`\nNext: ${next}`);
  }
  return exitCodes.succeeded;
}

function nextCommand(run: string, folder: string): string {
  return folder === '' ? run : `${run} ${join(folder, 'workflow.yaml')}`;
}

/** Adds `.cadre/` to the folder's .gitignore when git keeps the folder. @returns the file, when it was changed */
async function ignoreProjectFolder(folder: string): Promise<string | undefined> {
  if (!(await isInRepository(folder))) return undefined;
  const path = join(folder, '.gitignore');
  const before = (await exists(path)) ? await readFile(path, 'utf8') : '';
  if (before.split(/\r?\n/).some((line) => /^\/?\.cadre\/?$/.test(line.trim()))) return undefined;
  const separator = before === '' || before.endsWith('\n') ? '' : '\n';
  await writeFile(path, `${before}${separator}.cadre/\n`);
  return path;
}

async function isInRepository(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    if (await exists(join(at, '.git'))) return true;
    if (dirname(at) === at) return false;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
