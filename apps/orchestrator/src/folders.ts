/** Where `cadre` keeps things: the project's folder, and the user's own. */
import { posix, resolve, win32 } from 'node:path';
import type { Host } from './host.ts';

/** The `.cadre` folder of a project. */
export function projectFolder(host: Pick<Host, 'directory'>, project: string | undefined): string {
  return resolve(host.directory, project ?? '.', '.cadre');
}

/**
 * Where the user's own state is kept, by the custom of each system; undefined where the environment names no home.
 * Source: the XDG Base Directory Specification, which says that a path that is not absolute is to be ignored.
 */
export function stateFolder({ environment, platform }: Pick<Host, 'environment' | 'platform'>): string | undefined {
  const { HOME, LOCALAPPDATA, XDG_STATE_HOME } = environment;
  if (platform === 'win32') return LOCALAPPDATA ? win32.join(LOCALAPPDATA, 'cadre', 'state') : undefined;
  if (XDG_STATE_HOME !== undefined && posix.isAbsolute(XDG_STATE_HOME)) return posix.join(XDG_STATE_HOME, 'cadre');
  if (!HOME) return undefined;
  if (platform === 'darwin') return posix.join(HOME, 'Library', 'Application Support', 'cadre');
  return posix.join(HOME, '.local', 'state', 'cadre');
}
