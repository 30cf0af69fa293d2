/** Splits a text into what stands as it is and the expressions in `${{ … }}`. Knows of CEL only where an expression ends. */

export interface TemplatePart {
  readonly type: 'text' | 'expression';
  /** For an expression, what stands between the braces. */
  readonly text: string;
  /** Where `text` begins in the whole. */
  readonly at: number;
}

export interface TemplateParts {
  readonly parts: readonly TemplatePart[];
  /** Where a `${{` stands that nothing closes; what follows it is not split. */
  readonly unclosedAt: number | undefined;
}

/** Characters of one expression. */
const maxExpressionLength = 4096;

export function splitTemplate(text: string): TemplateParts {
  const parts: TemplatePart[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('${{', at);
    if (open === -1) break;
    if (open > at) parts.push({ type: 'text', text: text.slice(at, open), at });
    const start = open + 3;
    const window = text.slice(start, start + maxExpressionLength);
    const length = expressionLength(window);
    if (length === undefined) return { parts, unclosedAt: open };
    parts.push({ type: 'expression', text: window.slice(0, length), at: start });
    at = start + length + 2;
  }
  if (at < text.length) parts.push({ type: 'text', text: text.slice(at), at });
  return { parts, unclosedAt: undefined };
}

/**
 * Length of the expression that the text begins with, up to its `}}`. Braces of CEL maps and `}}` in its strings don't
 * end it; when that leaves no end, the first `}}` does, so that the fault in it is found by the parser of CEL.
 */
function expressionLength(text: string): number | undefined {
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '"' || character === "'") {
      at = stringEnd(text, at);
      continue;
    }
    if (text.startsWith('//', at)) {
      const newline = text.indexOf('\n', at);
      at = newline === -1 ? text.length : newline;
      continue;
    }
    if (character === '{') depth += 1;
    if (character === '}') {
      if (depth === 0 && text[at + 1] === '}') return at;
      depth -= 1;
    }
    at += 1;
  }
  const first = text.indexOf('}}');
  return first === -1 ? undefined : first;
}

/** The parser passes over the character behind a backslash in raw strings too. */
function stringEnd(text: string, start: number): number {
  const quote = text.charAt(start);
  const closing = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  let at = start + closing.length;
  while (at < text.length) {
    if (text[at] === '\\') at += 2;
    else if (text.startsWith(closing, at)) return at + closing.length;
    else at += 1;
  }
  return text.length;
}
