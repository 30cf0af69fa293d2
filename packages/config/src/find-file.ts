/** Which file a layer is read from. Two candidates in one folder are refused: which of them counts would be a guess. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError } from './errors.ts';

const fileExtensions = ['yaml', 'yml', 'json', 'jsonc', 'toml'] as const;

/** `<stem>.{yaml,yml,json,jsonc,toml}` */
export function candidatesIn(stem: string): readonly string[] {
  return fileExtensions.map((extension) => `${stem}.${extension}`);
}

/** The one candidate in `directory`. @throws {ConfigError} CONFIG_AMBIGUOUS_FILE for two */
export function findFileIn(directory: string, stem: string): string | undefined {
  const found = candidatesIn(stem)
    .map((name) => join(directory, name))
    .filter(exists);
  const [first, second] = found;
  if (first === undefined || second === undefined) return first;
  const message = `${found.join(' and ')} stand side by side, and only one may; delete or rename the others`;
  const problem = { path: '', message, line: undefined, column: undefined, source: undefined, suggestion: undefined };
  throw new ConfigError('CONFIG_AMBIGUOUS_FILE', message, [{ ...problem, file: second }]);
}

/** The nearest such file in `directory` or above it, not looking above `topDirectory`. */
export function findFileUpward(directory: string, stem: string, topDirectory: string | undefined): string | undefined {
  for (const folder of foldersUpward(directory, topDirectory)) {
    const file = findFileIn(folder, stem);
    if (file !== undefined) return file;
  }
  return undefined;
}

/** `directory` and those above it, up to and with `topDirectory`. */
export function* foldersUpward(directory: string, topDirectory: string | undefined): Generator<string> {
  const top = topDirectory === undefined ? undefined : resolve(topDirectory);
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    yield folder;
    if (folder === top || folder === dirname(folder)) return;
  }
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // A folder above that may not be looked into holds no file for us.
    if (error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'ENOTDIR'))
      return false;
    throw error;
  }
}
