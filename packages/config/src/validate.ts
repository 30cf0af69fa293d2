/** Asks the schema, and gives each of its issues the place in a file, variable or flag that a person has to change. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { winningOrigin } from './explain.ts';
import { problemAt } from './file-layer.ts';
import { type KnownSettings, namesBelow } from './known-settings.ts';
import type { Layer } from './layer.ts';
import { find } from './merge.ts';
import { formatPath, type Path } from './path.ts';
import type { PlainObject } from './plain-data.ts';
import { ProblemList } from './problem-list.ts';
import { nearest } from './suggest.ts';

export type Validated<T> = { readonly value: T; readonly problems?: undefined } | { readonly problems: ProblemList };

/** @param reported the paths that need no second problem */
export async function validate<Schema extends StandardSchemaV1>(
  schema: Schema,
  merged: PlainObject,
  layers: readonly Layer[],
  known: () => KnownSettings,
  reported: ReadonlySet<string>,
): Promise<Validated<StandardSchemaV1.InferOutput<Schema>>> {
  const answer = schema['~standard'].validate(merged);
  const result = answer instanceof Promise ? await answer : answer;
  if (result.issues === undefined) return { value: result.value };
  const problems = new ProblemList();
  for (const issue of result.issues) addProblems(issue);
  return { problems };

  function addProblems(issue: StandardSchemaV1.Issue): void {
    const path = (issue.path ?? []).map((segment) => toSegment(typeof segment === 'object' ? segment.key : segment));
    // zod gives one issue, at the parent, for all unknown keys of an object; each is a problem of its own.
    const unknownKeys = stringsIn(issue, 'keys');
    const found = find(merged, path);
    if (unknownKeys !== undefined && found.type === 'value') {
      for (const key of unknownKeys)
        add([...path, key], 'key', 'is not a setting', () => suggestKey(key, path, known()));
      return;
    }
    add(path, 'value', issue.message, () => {
      const last = path.at(-1);
      if (found.type !== 'value') return undefined;
      const choices = stringsIn(issue, 'values');
      if (choices !== undefined && typeof found.value === 'string') return didYouMean(nearest(found.value, choices));
      const names = typeof last === 'string' ? namesBelow(known(), path.slice(0, -1).map(String)) : [];
      if (typeof last !== 'string' || names.length === 0 || names.includes(last)) return undefined;
      return didYouMean(nearest(last, names));
    });
  }

  function add(path: Path, part: 'key' | 'value', message: string, suggest: () => string | undefined): void {
    if (reported.has(formatPath(path))) return;
    problems.add(() => problemAt(winningOrigin(layers, path, part), formatPath(path), message, suggest()));
  }
}

function suggestKey(key: string, parent: Path, known: KnownSettings): string | undefined {
  return didYouMean(nearest(key, namesBelow(known, parent.map(String))));
}

function didYouMean(name: string | undefined): string | undefined {
  return name === undefined ? undefined : `did you mean ${JSON.stringify(name)}?`;
}

function toSegment(key: PropertyKey): string | number {
  return typeof key === 'symbol' ? String(key) : key;
}

/** A field beyond the specification that some libraries add to an issue. */
function stringsIn(issue: object, field: string): readonly string[] | undefined {
  const value: unknown = Reflect.get(issue, field);
  if (!Array.isArray(value)) return undefined;
  return value.every((each): each is string => typeof each === 'string') ? value : undefined;
}
