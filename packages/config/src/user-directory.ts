/** Where a program's settings of one user are kept, by the custom of each system. */
import { posix, win32 } from 'node:path';
import type { Environment } from './env-layer.ts';

/** `$XDG_CONFIG_HOME/<name>`, else `$HOME/.config/<name>`; on Windows `%APPDATA%\<name>`. `undefined` without any. */
export function defaultUserDirectory(
  name: string,
  environment: Environment,
  platform: NodeJS.Platform = process.platform,
): string | undefined {
  const { APPDATA, XDG_CONFIG_HOME, HOME } = environment;
  if (platform === 'win32') return APPDATA ? win32.join(APPDATA, name) : undefined;
  // The XDG specification: a path that is not absolute is to be ignored.
  if (XDG_CONFIG_HOME !== undefined && posix.isAbsolute(XDG_CONFIG_HOME)) return posix.join(XDG_CONFIG_HOME, name);
  return HOME ? posix.join(HOME, '.config', name) : undefined;
}
