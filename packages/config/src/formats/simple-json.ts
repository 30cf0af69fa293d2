/**
 * JSON that is as it should be: the engine parses it, and one pass over its tokens finds where everything stands, which
 * the engine doesn't say. Whatever is wrong with a text, or unusual, is left to the parser that can say what.
 */
import { type Located, located, type ParsedText, type TextLimits } from './parsed-text.ts';

/** Undefined: the text is no plain JSON, is nested too deeply, or gives a key twice. */
export function parseSimpleJson(text: string, { maxDepth }: TextLimits): ParsedText | undefined {
  let value: unknown;
  try {
    // A `__proto__` in the text becomes an ordinary member.
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
  const root = locateJson(text, maxDepth);
  return root && { value, root: () => root, problems: [] };
}

/** Over text known to be JSON: a string, a mark, or a number or word, after white space. */
const tokenPattern = /\s*("[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+)/y;

/** Each element of the list is the child under its number; the place of a member is that of its key and of its value. */
function locateJson(text: string, maxDepth: number): Located | undefined {
  let token = '';
  let offset = 0;
  let end = 0;
  next();
  const root = located(0, offset);
  return locateBelow(root, maxDepth) ? root : undefined;

  function next(): void {
    tokenPattern.lastIndex = end;
    token = tokenPattern.exec(text)?.[1] ?? '';
    end = tokenPattern.lastIndex;
    offset = end - token.length;
  }

  /** Stands at the value's first token, and in the end at the one behind the value. False: too deep, or a key twice. */
  function locateBelow(place: Located, depthLeft: number): boolean {
    if (token === '{') return depthLeft > 0 && locateMembers(place, depthLeft);
    if (token === '[') return depthLeft > 0 && locateElements(place, depthLeft);
    next();
    return true;
  }

  function locateMembers({ children }: Located, depthLeft: number): boolean {
    for (next(); token !== '}'; ) {
      const name = token.includes('\\') ? String(JSON.parse(token)) : token.slice(1, -1);
      if (children.has(name)) return false;
      const keyOffset = offset;
      next();
      next();
      const child = located(keyOffset, offset);
      children.set(name, child);
      if (!locateBelow(child, depthLeft - 1)) return false;
      if (token === ',') next();
    }
    next();
    return true;
  }

  function locateElements({ children }: Located, depthLeft: number): boolean {
    for (next(); token !== ']'; ) {
      const child = located(offset);
      children.set(String(children.size), child);
      if (!locateBelow(child, depthLeft - 1)) return false;
      if (token === ',') next();
    }
    next();
    return true;
  }
}
