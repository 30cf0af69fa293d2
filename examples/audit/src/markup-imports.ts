/**
 * What a component or page takes from scripts. Vue, Svelte, Astro and HTML files are not parsed; only their imports are
 * read, so that what they use is not called unused.
 */

import type { FileSyntax } from './syntax.ts';
import type { ImportFact } from './syntax-imports.ts';

export function importsOfMarkup(path: string, text: string): FileSyntax {
  const imports: ImportFact[] = [];
  const expression =
    /\bfrom\s*['"]([^'"\n]+)['"]|\bimport\s*\(?\s*['"]([^'"\n]+)['"]|<script\b[^>]*\bsrc=["']([^"']+)["']/g;
  for (const match of text.matchAll(expression)) {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    if (specifier === '') continue;
    // A page's script is found from the page, with or without `./` in front.
    const isPagePath = match[3] !== undefined && !/^[./]|:/.test(specifier);
    imports.push({
      specifier: isPagePath ? `./${specifier}` : specifier,
      line: text.slice(0, match.index).split('\n').length,
      kind: 'lazy',
      names: '*',
    });
  }
  return {
    path,
    imports,
    exports: [],
    reexports: [],
    commonjs: false,
    jsx: false,
    functions: { count: 0, branches: 0, notable: [] },
    nodes: 0,
    paths: [],
    words: [],
    ambient: [],
    errors: [],
  };
}
