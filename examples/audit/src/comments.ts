/** The comments of a file, and its code without them, for any language whose comment marks are known. */
import type { CommentStyle } from './language.ts';
import { scriptTokens } from './script-tokens.ts';

export interface Comment {
  readonly text: string;
  /** 1-based line of its first character. */
  readonly line: number;
}

export interface CodeToken {
  readonly text: string;
  readonly line: number;
}

const MARKS: Readonly<Record<Exclude<CommentStyle, 'none'>, RegExp>> = {
  c: /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g,
  hash: /(?<![^\s])#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g,
  dash: /--[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g,
  markup: /<!--[\s\S]*?(?:-->|$)/g,
};

/** Splits a script by its own scanner and other languages by their comment marks, strings respected. */
export function splitComments(
  text: string,
  style: CommentStyle,
  isScript: boolean,
): { readonly comments: readonly Comment[]; readonly tokens: readonly CodeToken[] } {
  const lineAt = lineCounter(text);
  const comments: Comment[] = [];
  const tokens: CodeToken[] = [];
  if (isScript) {
    for (const token of scriptTokens(text)) {
      (token.kind === 'comment' ? comments : tokens).push({ text: token.text, line: lineAt(token.start) });
    }
    return { comments, tokens };
  }
  let from = 0;
  const addCode = (end: number) => {
    for (const word of text.slice(from, end).matchAll(/[\p{L}\p{N}_$]+|[^\s\p{L}\p{N}_$]/gu)) {
      tokens.push({ text: word[0], line: lineAt(from + word.index) });
    }
  };
  if (style !== 'none') {
    for (const match of text.matchAll(MARKS[style])) {
      const isString = style !== 'markup' && /^["']/.test(match[0]);
      addCode(match.index);
      (isString ? tokens : comments).push({ text: match[0], line: lineAt(match.index) });
      from = match.index + match[0].length;
    }
  }
  addCode(text.length);
  return { comments, tokens };
}

/** Counts on from the last answer: positions must not go back. */
function lineCounter(text: string): (position: number) => number {
  let at = 0;
  let line = 1;
  return (position) => {
    for (let next = text.indexOf('\n', at); next !== -1 && next < position; next = text.indexOf('\n', at)) {
      line += 1;
      at = next + 1;
    }
    return line;
  };
}
