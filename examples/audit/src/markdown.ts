/**
 * What a Markdown document holds that can be checked: its headings as link targets, its links, and the code words it
 * names. A small reader of lines, not a full parser: code blocks and comments are left out, the rest is CommonMark as
 * people write it.
 */

export interface MarkdownFacts {
  readonly path: string;
  readonly title: string | null;
  readonly lines: number;
  /** Fragment identifiers, made the way GitHub makes them, and explicit `id`s. */
  readonly anchors: readonly string[];
  readonly links: readonly { readonly target: string; readonly line: number }[];
  readonly codeBlocks: number;
  /** Identifiers inside code spans and code blocks. */
  readonly words: readonly string[];
}

const MAX_WORDS = 4_000;

export function markdownFacts(path: string, text: string): MarkdownFacts {
  const lines = text.split(/\r?\n/);
  const anchors = new Map<string, number>();
  const explicit = new Set<string>();
  const links: { target: string; line: number }[] = [];
  const words = new Set<string>();
  const state = { fence: '', comment: false, codeBlocks: 0, title: null as string | null };
  for (const [index, line] of lines.entries()) {
    const fence = /^\s{0,3}(?:>\s*)*(`{3,}|~{3,})/.exec(line)?.[1];
    if (state.fence !== '') {
      if (fence?.startsWith(state.fence) && /^[\s>]*[`~]+\s*$/.test(line)) state.fence = '';
      else addWords(line, words);
      continue;
    }
    if (fence !== undefined) {
      state.fence = fence;
      state.codeBlocks += 1;
      continue;
    }
    const prose = withoutComments(line, state);
    for (const code of prose.matchAll(/(`+)(.+?)\1(?!`)/g)) addWords(code[2] ?? '', words);
    for (const id of prose.matchAll(/<[a-z][^>]*\s(?:id|name)=["']([^"']+)["']/gi)) explicit.add(id[1] ?? '');
    const heading = headingOf(prose, lines[index + 1]);
    if (heading !== undefined) {
      addAnchor(heading, anchors);
      state.title ??= heading;
    }
    for (const target of linkTargets(prose.replace(/(`+)(.+?)\1(?!`)/g, ''))) links.push({ target, line: index + 1 });
  }
  return {
    path,
    title: state.title,
    lines: lines.length,
    anchors: [...new Set([...anchorNames(anchors), ...explicit])].sort(),
    links,
    codeBlocks: state.codeBlocks,
    words: [...words].sort().slice(0, MAX_WORDS),
  };
}

/** GitHub's fragment for a heading: lower case, only letters, digits, spaces, `-` and `_`, spaces to dashes. */
export function anchorOf(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/<[^>]+>/g, '')
    .replace(/[*`]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replace(/ /g, '-');
}

function headingOf(line: string, next: string | undefined): string | undefined {
  const atx = /^\s{0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$/.exec(line)?.[1];
  if (atx !== undefined) return atx;
  const isUnderlined = next !== undefined && /^\s{0,3}(=+|-{2,})\s*$/.test(next);
  return isUnderlined && /^\s{0,3}[^\s>|#-]/.test(line) ? line.trim() : undefined;
}

function addAnchor(heading: string, anchors: Map<string, number>): void {
  const anchor = anchorOf(heading);
  anchors.set(anchor, (anchors.get(anchor) ?? 0) + 1);
}

function* anchorNames(anchors: ReadonlyMap<string, number>): Generator<string> {
  for (const [anchor, times] of anchors) {
    yield anchor;
    for (let repeat = 1; repeat < times; repeat += 1) yield `${anchor}-${repeat}`;
  }
}

function linkTargets(line: string): readonly string[] {
  const targets: string[] = [];
  for (const match of line.matchAll(
    /\]\(\s*(?:<([^>]*)>|((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.)*\))*))(?:\s+["'(][^)]*)?\s*\)/g,
  )) {
    targets.push(match[1] ?? match[2] ?? '');
  }
  const definition = /^\s{0,3}\[(?!\^)[^\]]+\]:\s*(?:<([^>]*)>|(\S+))/.exec(line);
  if (definition !== null) targets.push(definition[1] ?? definition[2] ?? '');
  for (const match of line.matchAll(/<(?:a|img)\s[^>]*?(?:href|src)=["']([^"']+)["']/gi)) targets.push(match[1] ?? '');
  return targets.filter((target) => target !== '');
}

function withoutComments(line: string, state: { comment: boolean }): string {
  let out = '';
  let rest = line;
  while (rest !== '') {
    const mark = state.comment ? '-->' : '<!--';
    const at = rest.indexOf(mark);
    if (!state.comment) out += at === -1 ? rest : rest.slice(0, at);
    if (at === -1) break;
    state.comment = !state.comment;
    rest = rest.slice(at + mark.length);
  }
  return out;
}

function addWords(text: string, words: Set<string>): void {
  for (const match of text.matchAll(/[A-Za-z_$][\w$]*/g)) if (match[0].length > 1) words.add(match[0]);
}
