/** TOML 1.0. The parser gives values without places, so `toml-positions.ts` finds those in text it has accepted. */
import { isPlainObject } from '../plain-data.ts';
import { isStackOverflow, type Located, located, type ParsedText, rawObject, type TextLimits } from './parsed-text.ts';
import { locateToml } from './toml-positions.ts';

export async function parseToml(text: string, limits: TextLimits): Promise<ParsedText> {
  const { parse, TomlError } = await import('smol-toml');
  try {
    const value = withoutDates(parse(text, { maxDepth: limits.maxDepth }), limits.maxDepth);
    let root: Located | undefined;
    const locate = () => {
      root ??= locateToml(text, parse);
      return root;
    };
    return { value, root: locate, problems: [] };
  } catch (error) {
    if (error instanceof TomlError) {
      const [message = error.message] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
      return { value: undefined, root: () => located(0), problems: [{ offset: offsetOf(text, error), message }] };
    }
    if (!isStackOverflow(error)) throw error;
    const message = `is nested deeper than maxDepth (${limits.maxDepth})`;
    return { value: undefined, root: () => located(0), problems: [{ offset: 0, message }] };
  }
}

/** Dates and times become their ISO text: settings are the same kind of data whatever the file's format. */
function withoutDates(value: unknown, depthLeft: number): unknown {
  if (value instanceof Date) return value.toISOString();
  // What is deeper is refused when the value is copied.
  if (depthLeft < 0) return value;
  if (Array.isArray(value)) return value.map((element) => withoutDates(element, depthLeft - 1));
  if (!isPlainObject(value)) return value;
  const members = rawObject();
  for (const [key, member] of Object.entries(value)) members[key] = withoutDates(member, depthLeft - 1);
  return members;
}

function offsetOf(text: string, { line, column }: { readonly line: number; readonly column: number }): number {
  let offset = 0;
  for (let passed = 1; passed < line; passed++) offset = text.indexOf('\n', offset) + 1;
  return Math.min(offset + Math.max(column, 1) - 1, text.length);
}
