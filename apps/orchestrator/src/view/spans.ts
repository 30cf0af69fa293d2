/** A line as pieces with a style each, so that it can be cut to the terminal's width before escape codes come into it. */
import type { Colors } from './colors.ts';
import { truncate, widthOf } from './plain-text.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
/** A text in no style, or one in a style. The text holds no control characters. */
export type Span = string | readonly [style: Style, text: string];

export function renderSpans(spans: readonly Span[], width: number, colors: Colors): string {
  let line = '';
  let left = width;
  for (const span of spans) {
    const [style, text] = typeof span === 'string' ? [undefined, span] : span;
    const shown = truncate(text, left);
    line += style === undefined || shown === '' ? shown : colors[style](shown);
    left -= widthOf(shown);
    if (shown !== text) break;
  }
  return line;
}
