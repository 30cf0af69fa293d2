/** Asks the schema, and gives each of its issues the place in a file, variable or flag that a person has to change. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ConfigProblem } from './errors.ts';
import { winningOrigin } from './explain.ts';
import { problemAt } from './file-layer.ts';
import { type KnownSettings, namesBelow } from './known-settings.ts';
import type { Layer } from './layer.ts';
import { find } from './merge.ts';
import { formatPath, type Path } from './path.ts';
import type { PlainObject } from './plain-data.ts';
import { nearest } from './suggest.ts';

export type Validated<T> =
  | { readonly value: T; readonly problems?: undefined }
  | { readonly problems: readonly ConfigProblem[] };

export async function validate<Schema extends StandardSchemaV1>(
  schema: Schema,
  merged: PlainObject,
  layers: readonly Layer[],
  known: () => KnownSettings,
): Promise<Validated<StandardSchemaV1.InferOutput<Schema>>> {
  const answer = schema['~standard'].validate(merged);
  const result = answer instanceof Promise ? await answer : answer;
  if (result.issues === undefined) return { value: result.value };
  return { problems: result.issues.flatMap((issue) => toProblems(issue, merged, layers, known)) };
}

function toProblems(
  issue: StandardSchemaV1.Issue,
  merged: PlainObject,
  layers: readonly Layer[],
  known: () => KnownSettings,
): ConfigProblem[] {
  const path = (issue.path ?? []).map((segment) => toSegment(typeof segment === 'object' ? segment.key : segment));
  // zod gives one issue, at the parent, for all unknown keys of an object; each is a problem of its own.
  const unknownKeys = stringsIn(issue, 'keys');
  if (unknownKeys !== undefined && find(merged, path).type === 'value') {
    return unknownKeys.map((key) => {
      const origin = winningOrigin(layers, [...path, key], 'key');
      return problemAt(origin, formatPath([...path, key]), 'is not a setting', suggestKey(key, path, known()));
    });
  }
  const found = find(merged, path);
  const last = path.at(-1);
  let suggestion: string | undefined;
  const choices = stringsIn(issue, 'values');
  if (choices !== undefined && found.type === 'value' && typeof found.value === 'string') {
    suggestion = didYouMean(nearest(found.value, choices));
  } else if (found.type === 'value' && typeof last === 'string') {
    const names = namesBelow(known(), path.slice(0, -1).map(String));
    if (names.length > 0 && !names.includes(last)) suggestion = didYouMean(nearest(last, names));
  }
  return [problemAt(winningOrigin(layers, path, 'value'), formatPath(path), issue.message, suggestion)];
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
