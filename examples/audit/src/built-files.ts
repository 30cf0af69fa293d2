/**
 * Scripts that a build made from other scripts of the tree: `dist/a.js` beside `src/a.ts`. A published package holds both,
 * and whatever is said of the built one is said twice, of a file that nobody edits.
 */
import { folderOf, nameOf } from './path.ts';

const OUTPUT_FOLDERS = new Set(['dist', 'lib', 'build', 'out', 'output', 'esm', 'cjs', 'es', 'umd', 'compiled']);

/** The files among `paths` whose source is among them too. */
export function builtFiles(paths: readonly string[]): ReadonlySet<string> {
  const stems = new Set(
    paths.flatMap((path) => (/\.[cm]?tsx?$/.test(path) && !/\.d\.[cm]?ts$/.test(path) ? [stemOf(path)] : [])),
  );
  return new Set(
    paths.filter(
      (path) => /\.([cm]?jsx?|d\.[cm]?ts)$/.test(path) && sourceStems(stemOf(path)).some((stem) => stems.has(stem)),
    ),
  );
}

function stemOf(path: string): string {
  const name = nameOf(path).replace(/(\.d)?\.[cm]?[jt]sx?$/, '');
  return folderOf(path) === '' ? name : `${folderOf(path)}/${name}`;
}

/** Where the source would be: beside it, in `src` at any height, or in place of an output folder. */
function sourceStems(stem: string): readonly string[] {
  const parts = stem.split('/');
  const stems = [stem];
  for (let at = 0; at < parts.length; at += 1) {
    const before = parts.slice(0, at);
    stems.push([...before, 'src', ...parts.slice(at)].join('/'));
    let end = at;
    while (OUTPUT_FOLDERS.has(parts[end] ?? '') && end < parts.length - 1) {
      end += 1;
      stems.push([...before, 'src', ...parts.slice(end)].join('/'), [...before, ...parts.slice(end)].join('/'));
    }
  }
  return stems;
}
