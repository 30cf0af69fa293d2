/** Where a package is installed for a file, as Node looks it up: the nearest `node_modules` above that has it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Also for packages whose doors Node would refuse to a `require`. */
export function findPackage(packageName: string, fromFile: string): string | undefined {
  for (let folder = dirname(fromFile); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', packageName);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}
