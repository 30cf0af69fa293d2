import { cosmiconfig, cosmiconfigSync, type Loader } from 'cosmiconfig';
import { parse } from 'smol-toml';

const loaders: Record<string, Loader> = { '.toml': (_path, content) => parse(content) };

/** It finds and parses (TOML by a loader that its users bring); the layers are merged by hand, as its users do. */
export function openLoader(fileName: string, defaults: object, overrides: object) {
  return async (directory: string): Promise<unknown> => {
    const options = { searchPlaces: [fileName], stopDir: directory, cache: false, loaders };
    const found = await cosmiconfig('bench', options).search(directory);
    return [found?.config ?? {}, overrides].reduce(merge, defaults);
  };
}

/** What its documentation says to call again and again: the answer is kept, validation is not. */
export function openCachedSearch(fileName: string, directory: string): () => unknown {
  const explorer = cosmiconfigSync('bench', { searchPlaces: [fileName], stopDir: directory });
  return () => explorer.search(directory)?.config;
}

function merge(low: object, high: object): object {
  const merged: Record<string, unknown> = { ...low };
  for (const [name, value] of Object.entries(high)) {
    const below = merged[name];
    merged[name] = isPlain(value) && isPlain(below) ? merge(below, value) : value;
  }
  return merged;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
