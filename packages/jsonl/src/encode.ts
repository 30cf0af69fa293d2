/** Value to line. What JSON would silently turn into `null` or nothing is an error here: a record must say what it was given. */

/**
 * One line of JSON with its newline. Properties whose value is `undefined`, a function or a symbol are left out, as
 * `JSON.stringify` does; `toJSON` is honoured.
 * @throws {TypeError} for what JSON can't say: `undefined`, a function or a symbol as the value itself or as an array
 * element, `NaN`, infinities, a bigint, a cycle, or nesting deeper than the engine can follow.
 */
export function encodeJsonl(value: unknown): string {
  return `${encodeValue(value)}\n`;
}

/** The same without the newline. */
export function encodeValue(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TypeError('The value is nested too deeply, or is too long, to be written as one line of JSON', {
      cause: error,
    });
  }
  if (text === undefined) throw new TypeError(`A value of type ${typeof value} cannot be written as JSON`);
  if (text.includes('null')) refuseLoss(value, '');
  return text;
}

/** Only a text that says `null` can have lost a value, so most records never come here. No cycle can either. */
function refuseLoss(value: unknown, path: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`${value} at ${path || 'the top'} cannot be written as JSON`);
  }
  if (typeof value !== 'object' || value === null) return;
  if ('toJSON' in value && typeof value.toJSON === 'function') return;
  if (Array.isArray(value)) {
    value.forEach((element: unknown, index) => {
      if (element === undefined || typeof element === 'function' || typeof element === 'symbol') {
        throw new TypeError(`A value of type ${typeof element} at ${path}[${index}] cannot be written as JSON`);
      }
      refuseLoss(element, `${path}[${index}]`);
    });
    return;
  }
  for (const [key, element] of Object.entries(value)) refuseLoss(element, `${path}.${key}`);
}
