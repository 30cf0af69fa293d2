/**
 * Subjects and patterns, by the rules of NATS. A subject is tokens joined by dots. In a pattern a whole token may be `*`,
 * which stands for any one token, and the last may be `>`, which stands for one or more.
 */
import { BusError } from './errors.ts';

const maxSubjectLength = 1_024;

/** Subjects below this one are used once, so there is no sense in remembering who matches them. */
export const inboxPrefix = '_inbox.';

/** The tokens of a subject that can be published to. @throws {BusError} BUS_INVALID_SUBJECT */
export function parseSubject(subject: string): readonly string[] {
  const tokens = splitTokens(subject, 'subject');
  if (/[*>]/.test(subject)) throw invalid('subject', subject, 'holds a wildcard, which only a subscription may');
  return tokens;
}

/** The tokens of a pattern that can be subscribed to. @throws {BusError} BUS_INVALID_SUBJECT */
export function parsePattern(pattern: string): readonly string[] {
  const tokens = splitTokens(pattern, 'pattern');
  for (const [index, token] of tokens.entries()) {
    if (token.length > 1 && /[*>]/.test(token))
      throw invalid('pattern', pattern, 'holds a wildcard that is not a whole token');
    if (token === '>' && index < tokens.length - 1)
      throw invalid('pattern', pattern, 'holds `>` before its last token');
  }
  return tokens;
}

/** Whether messages to `subject` reach a subscription to `pattern`. @throws {BusError} BUS_INVALID_SUBJECT */
export function subjectMatches(pattern: string, subject: string): boolean {
  const wanted = parsePattern(pattern);
  const tokens = parseSubject(subject);
  const isOpen = wanted.at(-1) === '>';
  if (isOpen ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
  return wanted.every((token, index) => token === '>' || token === '*' || token === tokens[index]);
}

/** Whether every subject that `inner` matches is matched by `outer` too. Both are taken to be valid. */
export function patternCovers(outer: string, inner: string): boolean {
  const wide = outer.split('.');
  const narrow = inner.split('.');
  for (const [index, token] of wide.entries()) {
    const given = narrow[index];
    if (given === undefined) return false;
    if (token === '>') return true;
    if (given === '>' || (token !== '*' && token !== given)) return false;
  }
  return wide.length === narrow.length;
}

export function isWildcard(pattern: string): boolean {
  return pattern.includes('*') || pattern.includes('>');
}

function splitTokens(text: string, kind: 'subject' | 'pattern'): readonly string[] {
  if (typeof text !== 'string') throw new TypeError(`Expected \`${kind}\` to be a string, got \`${typeof text}\``);
  if (text.length > maxSubjectLength) {
    throw invalid(kind, `${text.slice(0, 40)}…`, `is ${text.length} characters long, over ${maxSubjectLength}`);
  }
  if (/[\s\u0000-\u001F\u007F]/u.test(text)) throw invalid(kind, text, 'holds white space or a control character');
  const tokens = text.split('.');
  if (tokens.includes('')) throw invalid(kind, text, 'holds an empty token');
  return tokens;
}

function invalid(kind: 'subject' | 'pattern', text: string, reason: string): BusError {
  return new BusError('BUS_INVALID_SUBJECT', `The ${kind} ${JSON.stringify(text)} ${reason}`);
}
