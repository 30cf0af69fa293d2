import { cosmiconfig } from 'cosmiconfig';

/** It finds and parses; the layers are merged by hand, as its users do. */
export function openLoader(fileName: string, defaults: object, overrides: object) {
  return async (directory: string): Promise<unknown> => {
    const options = { searchPlaces: [fileName], stopDir: directory, cache: false };
    const found = await cosmiconfig('bench', options).search(directory);
    return [found?.config ?? {}, overrides].reduce(merge, defaults);
  };
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
