/** A path leads from the root of the settings to one value; its text form is what people type and read. */

/** Where a setting stands, from the outside in: keys, and numbers in lists. */
export type Path = readonly (string | number)[];

/** `['agents', 'a b', 'command', 0]` → `agents["a b"].command[0]` */
export function formatPath(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (!/^[\w-]+$/u.test(segment)) text += `[${JSON.stringify(segment)}]`;
    else text += text === '' ? segment : `.${segment}`;
  }
  return text;
}

/** The inverse of {@link formatPath}. @throws {TypeError} when the text is not a path */
export function parsePath(text: string): Path {
  if (text === '') return [];
  const path: (string | number)[] = [];
  const segment = /(?:^|\.)([\w-]+)|\[(?:(\d+)|("(?:[^"\\]|\\.)*"))\]/suy;
  while (segment.lastIndex < text.length) {
    const start = segment.lastIndex;
    const match = segment.exec(text);
    if (match === null) throw notAPath(text, start);
    const [, name, index, quoted] = match;
    if (quoted !== undefined) path.push(unquote(quoted, text, start));
    else path.push(name ?? Number(index));
  }
  return path;
}

export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.length <= path.length && prefix.every((segment, index) => String(segment) === String(path[index]));
}

function unquote(quoted: string, text: string, start: number): string {
  try {
    return String(JSON.parse(quoted));
  } catch (cause) {
    throw notAPath(text, start, { cause });
  }
}

function notAPath(text: string, start: number, options?: ErrorOptions): TypeError {
  return new TypeError(
    `Expected a path like \`cache.diskMaxBytes\` or \`agents["a b"].command[0]\`, got \`${text}\` (at character ${start + 1})`,
    options,
  );
}
