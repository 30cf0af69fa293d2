/** Settings that the calling program hands over as objects: the defaults and the chosen profile. */
import type { Layer, LayerName, Origin } from './layer.ts';
import { formatPath } from './path.ts';
import { copyPlainObject } from './plain-data.ts';

/** @throws {TypeError} when `value` is not plain data: it is the program's own, so that is a mistake in the program */
export function objectLayer(name: LayerName, origin: string, value: object, maxDepth: number, at: Origin): Layer {
  const copy = copyPlainObject({ ...value }, maxDepth, (path, _part, message) => {
    throw new TypeError(`Expected \`${origin}\` to hold settings: \`${formatPath(path)}\` ${message}`);
  });
  return { name, origin, present: Object.keys(copy).length > 0, value: copy, locate: () => at };
}
