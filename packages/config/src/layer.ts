/**
 * A layer is one place that settings come from. Layers are stacked; a higher one covers what a lower one says.
 * Every layer can say where in itself a value stands: its origin.
 */
import type { Path } from './path.ts';
import type { PlainObject } from './plain-data.ts';

/** Low to high. */
export type LayerName = 'defaults' | 'profile' | 'user' | 'project' | 'environment' | 'flags';

export interface Origin {
  readonly layer: LayerName;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** From 1, in UTF-16 units. */
  readonly column?: number;
  readonly variable?: string;
  readonly flag?: string;
  readonly profile?: string;
}

export interface Layer {
  readonly name: LayerName;
  /** The file, the profile's name or the variables' prefix: where this layer comes from, or would come from. */
  readonly origin: string;
  readonly present: boolean;
  readonly value: PlainObject;
  /** Where the value at `path`, or the nearest thing around it that this layer holds, was written. */
  locate(path: Path, part: 'key' | 'value'): Origin;
}

/** For people: `file:line:column`, `environment variable NAME`, `flag name`, `profile "name"`, or the name of the layer. */
export function describeOrigin({ layer, file, line, column, variable, flag, profile }: Origin): string {
  if (file !== undefined) return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  if (variable !== undefined) return `environment variable ${variable}`;
  if (flag !== undefined) return `flag ${flag}`;
  return profile === undefined ? layer : `profile "${profile}"`;
}

export function emptyLayer(name: LayerName, origin: string): Layer {
  return { name, origin, present: false, value: {}, locate: () => ({ layer: name }) };
}
