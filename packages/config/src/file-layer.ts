/** One settings file, to plain data whose every part knows its line and column. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { extname } from 'node:path';
import { ConfigError, type ConfigProblem } from './errors.ts';
import { parseJson } from './formats/json.ts';
import { type Located, lineFinder, type ParsedText } from './formats/parsed-text.ts';
import { parseToml } from './formats/toml.ts';
import { parseYaml } from './formats/yaml.ts';
import { describeOrigin, emptyLayer, type Layer, type LayerName, type Origin } from './layer.ts';
import { formatPath, type Path } from './path.ts';
import { copyPlainObject, isPlainObject } from './plain-data.ts';
import { ProblemList } from './problem-list.ts';

export interface FileLimits {
  readonly maxFileBytes: number;
  readonly maxDepth: number;
}

export interface FileLayer {
  readonly layer: Layer;
  readonly problems: ProblemList;
  /** False when the text could not be understood at all, so that its settings are unknown. */
  readonly isReadable: boolean;
  /** Of the bytes that were parsed, in hexadecimal. */
  sha256(): string;
}

export async function readFileLayer(name: LayerName, file: string, limits: FileLimits): Promise<FileLayer> {
  const read = readText(name, file, limits.maxFileBytes);
  const { bytes, text } = read;
  const sha256 = () => createHash('sha256').update(bytes).digest('hex');
  const problems = new ProblemList();
  if (text === undefined) {
    problems.add(() => read.problem);
    return { layer: emptyLayer(name, file), problems, isReadable: false, sha256 };
  }
  const findLine = lineFinder(text);
  const parsed = await parseText(text, file, limits);
  for (const { offset, message } of parsed.problems) problems.add(() => problemAt(originAt(offset), '', message));
  const { value } = parsed;
  const isEmpty = value === undefined || value === null;
  if (!problems.isEmpty || (!isEmpty && !isPlainObject(value))) {
    if (problems.isEmpty) {
      const message = `must hold settings by name, got ${Array.isArray(value) ? 'a list' : `a ${typeof value}`}`;
      problems.add(() => problemAt(originAt(parsed.root().valueOffset), '', message));
    }
    return { layer: emptyLayer(name, file), problems, isReadable: false, sha256 };
  }
  const copy = copyPlainObject(isEmpty ? {} : value, limits.maxDepth, (path, part, message) => {
    problems.add(() => problemAt(locate(path, part), formatPath(path), message));
  });
  return { layer: { name, origin: file, present: true, value: copy, locate }, problems, isReadable: true, sha256 };

  function locate(path: Path, part: 'key' | 'value'): Origin {
    let place: Located = parsed.root();
    for (const segment of path) {
      const inner = place.children.get(String(segment));
      if (inner === undefined) break;
      place = inner;
    }
    return originAt(part === 'key' ? place.keyOffset : place.valueOffset);
  }

  function originAt(offset: number): Origin {
    return { layer: name, file, ...findLine(offset) };
  }
}

export function problemAt(
  origin: Origin | undefined,
  path: string,
  message: string,
  suggestion?: string | undefined,
): ConfigProblem {
  return {
    path,
    message,
    file: origin?.file,
    line: origin?.line,
    column: origin?.column,
    source: origin === undefined ? undefined : describeOrigin(origin),
    suggestion,
  };
}

async function parseText(text: string, file: string, limits: FileLimits): Promise<ParsedText> {
  switch (extname(file)) {
    case '.json':
      return parseJson(text, limits, 'json');
    case '.jsonc':
      return parseJson(text, limits, 'jsonc');
    case '.toml':
      return parseToml(text, limits);
    default:
      return parseYaml(text, limits);
  }
}

type ReadText =
  | { readonly bytes: Uint8Array; readonly text: string }
  | { readonly bytes: Uint8Array; readonly text?: undefined; readonly problem: ConfigProblem };

/** The file's text, or what is wrong with it. @throws {ConfigError} CONFIG_UNREADABLE when the system refuses */
function readText(name: LayerName, file: string, maxFileBytes: number): ReadText {
  const origin: Origin = { layer: name, file };
  const wrong = (message: string): ReadText => ({ bytes: new Uint8Array(), problem: problemAt(origin, '', message) });
  let bytes: Buffer;
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for its writer.
    const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) return wrong('is not a regular file');
      if (stat.size > maxFileBytes) {
        return wrong(`is ${stat.size} bytes long, over maxFileBytes (${maxFileBytes})`);
      }
      bytes = readUpTo(descriptor, stat.size);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `${file} can't be read (${reason}); check that it exists and that you may read it`;
    throw new ConfigError('CONFIG_UNREADABLE', message, [problemAt(origin, '', message)], { cause });
  }
  try {
    return { bytes, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return wrong('is not UTF-8 text');
  }
}

function readUpTo(descriptor: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const read = readSync(descriptor, bytes, length, size - length, null);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}
