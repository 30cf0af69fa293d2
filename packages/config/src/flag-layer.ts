/** Settings from the command line, already split by whatever parses it: nested objects, or dotted paths as keys. */
import { place } from './env-layer.ts';
import { problemAt } from './file-layer.ts';
import type { Layer, Origin } from './layer.ts';
import { mergeLayers } from './merge.ts';
import { formatPath, type Path, parsePath, startsWith } from './path.ts';
import { copyPlainValue, isPlainObject, isUnsafeKey, type PlainObject } from './plain-data.ts';
import { ProblemList } from './problem-list.ts';

export interface FlagLayer {
  readonly layer: Layer;
  readonly problems: ProblemList;
}

interface Flag {
  readonly name: string;
  readonly path: Path;
}

/** A flag that is `undefined` was not given. Of two flags for one setting, the later one counts. */
export function readFlagLayer(flags: Readonly<Record<string, unknown>>, maxDepth: number): FlagLayer {
  const problems = new ProblemList();
  const given: Flag[] = [];
  let value: PlainObject = {};
  for (const [name, raw] of Object.entries(flags)) {
    if (raw === undefined) continue;
    const flag: Flag = { name, path: pathOf(name) };
    const report = (path: Path, message: string) => {
      problems.add(() => problemAt({ layer: 'flags', flag: name }, formatPath(path), message));
    };
    const keys = flag.path.map(String);
    const unsafe = keys.find(isUnsafeKey);
    if (unsafe !== undefined) {
      report(flag.path, `the key "${unsafe}" is refused: it could reach a prototype`);
      continue;
    }
    if (flag.path.some((segment) => typeof segment === 'number')) {
      report(flag.path, 'a flag sets a whole list, not one element of it');
      continue;
    }
    const copy = copyPlainValue(raw, flag.path, maxDepth, (path, _part, message) => report(path, message));
    if (copy === undefined) continue;
    const own: PlainObject = {};
    place(own, keys, copy);
    value = mergeLayers([value, own]);
    given.push(flag);
  }
  return { layer: { name: 'flags', origin: 'flags', present: given.length > 0, value, locate }, problems };

  function locate(path: Path): Origin {
    const covering = given.findLast((flag) => startsWith(path, flag.path) && holds(flags[flag.name], path, flag.path));
    const flag = covering ?? given.findLast((each) => startsWith(path, each.path) || startsWith(each.path, path));
    return flag === undefined ? { layer: 'flags' } : { layer: 'flags', flag: flag.name };
  }
}

function pathOf(name: string): Path {
  try {
    return parsePath(name);
  } catch (error) {
    // Not written as a path, so it is one key; the schema will say whether there is such a setting.
    if (error instanceof TypeError) return [name];
    throw error;
  }
}

function holds(value: unknown, path: Path, prefix: Path): boolean {
  let inner = value;
  for (const segment of path.slice(prefix.length)) {
    if (!isPlainObject(inner) || !Object.hasOwn(inner, segment)) return !isPlainObject(inner);
    inner = inner[segment];
  }
  return inner !== undefined;
}
