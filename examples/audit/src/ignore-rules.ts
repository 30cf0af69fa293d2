/**
 * The rules of `.gitignore` files, for trees that git cannot list. A rule holds for the folder its file is in; the last
 * matching rule wins; what lies below an ignored folder stays ignored. Source: gitignore(5), "PATTERN FORMAT".
 */

export interface IgnoreRule {
  readonly folder: string;
  readonly expression: RegExp;
  readonly negated: boolean;
  readonly foldersOnly: boolean;
}

export function parseIgnoreFile(text: string, folder: string): readonly IgnoreRule[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const rule = parseRule(line, folder);
    return rule === undefined ? [] : [rule];
  });
}

/** Says whether `path` itself is ignored; the folders above it are the caller's to ask first. */
export function isIgnored(path: string, isFolder: boolean, rules: readonly IgnoreRule[]): boolean {
  for (let index = rules.length - 1; index >= 0; index -= 1) {
    const rule = rules[index];
    if (rule === undefined || (rule.foldersOnly && !isFolder)) continue;
    if (rule.folder !== '' && !path.startsWith(`${rule.folder}/`)) continue;
    const relative = rule.folder === '' ? path : path.slice(rule.folder.length + 1);
    if (rule.expression.test(relative)) return !rule.negated;
  }
  return false;
}

function parseRule(line: string, folder: string): IgnoreRule | undefined {
  let pattern = line.replace(/(?<!\\)\s+$/, '');
  if (pattern === '' || pattern.startsWith('#')) return undefined;
  const negated = pattern.startsWith('!');
  if (negated) pattern = pattern.slice(1);
  const foldersOnly = pattern.endsWith('/');
  if (foldersOnly) pattern = pattern.slice(0, -1);
  const anchored = pattern.includes('/');
  const body = toExpression(pattern.replace(/^\//, ''));
  try {
    return { folder, negated, foldersOnly, expression: new RegExp(`^${anchored ? '' : '(?:.*/)?'}${body}$`, 's') };
  } catch {
    // A bracket expression that no regular expression can say matches nothing, as in git.
    return undefined;
  }
}

function toExpression(pattern: string): string {
  let out = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const rest = pattern.slice(at);
    const character = pattern.charAt(at);
    if (rest.startsWith('**/')) {
      out += '(?:.*/)?';
      at += 2;
    } else if (rest === '**') {
      out += '.*';
      at += 1;
    } else if (character === '*') {
      out += '[^/]*';
    } else if (character === '?') {
      out += '[^/]';
    } else if (character === '[') {
      const bracket = /^\[([!^]?)(\]?[^\]]*)\]/.exec(rest);
      out +=
        bracket === null ? '\\[' : `[${bracket[1] === '' ? '' : '^'}${(bracket[2] ?? '').replace(/[\\\]]/g, '\\$&')}]`;
      if (bracket !== null) at += bracket[0].length - 1;
    } else if (character === '\\' && at + 1 < pattern.length) {
      at += 1;
      out += escapeCharacter(pattern.charAt(at));
    } else {
      out += escapeCharacter(character);
    }
  }
  return out;
}

function escapeCharacter(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
