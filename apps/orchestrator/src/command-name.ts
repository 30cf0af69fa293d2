/** How the user would type our name, so that the commands we suggest work for the way we were started. */
import { basename, relative } from 'node:path';
import type { Host } from './host.ts';

/** CADRE_COMMAND_NAME, else `cadre`, `npx cadre` for one installed in a project, `node <path>` for a checkout. */
export function commandName({ environment, script, directory }: Pick<Host, 'environment' | 'script' | 'directory'>) {
  const given = environment.CADRE_COMMAND_NAME;
  if (given !== undefined && given !== '') return given;
  if (/[\\/]node_modules[\\/]/.test(script)) return 'npx cadre';
  if (basename(script) !== 'main.js') return 'cadre';
  const path = relative(directory, script);
  return `node ${quoted(path.length < script.length ? path : script)}`;
}

/** A word as a shell takes it for one. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
