import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePattern, parseSubject, patternCovers, subjectMatches } from './subject.ts';
import { SubjectTree } from './subject-tree.ts';

const token = fc.constantFrom('a', 'b', 'c');
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { maxLength: 4 }), fc.boolean())
  .map(([tokens, isOpen]) => (isOpen || tokens.length === 0 ? [...tokens, '>'] : tokens).join('.'));

/** The rules written down as a regular expression: slow, and nothing in common with the tree. */
function matchesNaively(wanted: string, given: string): boolean {
  const source = wanted.replaceAll('.', '\\.').replaceAll('*', '[^.]+').replace('>', '.+');
  return new RegExp(`^${source}$`).test(given);
}

describe('subjectMatches', () => {
  test('agrees with a naive reference', () => {
    fc.assert(
      fc.property(pattern, subject, (wanted, given) => {
        expect(subjectMatches(wanted, given)).toBe(matchesNaively(wanted, given));
      }),
      { numRuns: 2_000 },
    );
  });

  test('agrees with a naive reference on what is a pattern and what a subject', () => {
    const text = fc
      .array(fc.constantFrom('a', '.', '*', '>', ' ', '\n', 'é'), { maxLength: 6 })
      .map((each) => each.join(''));
    fc.assert(
      fc.property(text, (each) => {
        expect(isAccepted(parseSubject, each)).toBe(/^[aé]+(\.[aé]+)*$/.test(each));
        expect(isAccepted(parsePattern, each)).toBe(/^(([aé]+|\*)\.)*([aé]+|\*|>)$/.test(each) && !each.endsWith('\n'));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('patternCovers', () => {
  test('says yes only where every subject of the one is one of the other', () => {
    const subjects = ['a', 'b', 'c'].flatMap((one) => [
      one,
      ...['a', 'b', 'c'].flatMap((two) => [
        `${one}.${two}`,
        `${one}.${two}.a`,
        `${one}.${two}.a.b`,
        `${one}.${two}.a.b.c`,
      ]),
    ]);
    fc.assert(
      fc.property(pattern, pattern, (outer, inner) => {
        if (!patternCovers(outer, inner)) return;
        for (const each of subjects) if (matchesNaively(inner, each)) expect(matchesNaively(outer, each)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect([
      patternCovers('jobs.>', 'jobs.a'),
      patternCovers('jobs.>', 'jobs.*.b'),
      patternCovers('jobs.*', '>'),
    ]).toEqual([true, true, false]);
  });
});

describe('SubjectTree', () => {
  type Step = {
    readonly type: 'add' | 'remove' | 'match';
    readonly pattern: string;
    readonly subject: string;
    readonly which: number;
  };
  const step: fc.Arbitrary<Step> = fc.record({
    type: fc.constantFrom('add', 'remove', 'match', 'match'),
    pattern,
    subject,
    which: fc.nat({ max: 20 }),
  });

  // Forgetting nothing on `remove` fails this at once.
  test('agrees with a list of patterns through any adding, removing and matching', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tree = new SubjectTree<{ readonly pattern: string }, readonly unknown[]>({
          compile: (found) => found,
          maxRemembered: 4,
        });
        const list: { readonly pattern: string }[] = [];
        for (const { type, pattern: wanted, subject: given, which } of steps) {
          const entry = list[which % Math.max(list.length, 1)];
          if (type === 'add') {
            list.push({ pattern: wanted });
            const added = list.at(-1);
            if (added !== undefined) tree.add(wanted, added);
          } else if (type === 'remove' && entry !== undefined) {
            tree.remove(entry.pattern, entry);
            list.splice(list.indexOf(entry), 1);
          }
          expect(tree.match(given)).toEqual(list.filter((each) => matchesNaively(each.pattern, given)));
          expect(tree.remembered).toBeLessThanOrEqual(4);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('compiles once for a subject that stays in use', () => {
    let compiled = 0;
    const tree = new SubjectTree<object, number>({ compile: () => ++compiled, maxRemembered: 100 });
    tree.add('a.*', {});
    for (let index = 0; index < 1_000; index++) {
      expect(tree.match('a.b')).toBe(1);
      if (index % 10 === 0) tree.match(`x.${index}`);
    }
    expect(compiled).toBe(101);
  });

  // Remembering every subject that was ever published grows without end.
  test('holds 100,000 patterns in bounded memory, remembers a bounded number of subjects, and lets go of all of it', () => {
    const tree = new SubjectTree<{ readonly pattern: string }, number>({ compile: (found) => found.length });
    const entries = Array.from({ length: 100_000 }, (_, index) => ({
      pattern: `run.${index % 1_000}.task.${index}.*`,
    }));
    const before = process.memoryUsage().heapUsed;
    for (const entry of entries) tree.add(entry.pattern, entry);
    const each = (process.memoryUsage().heapUsed - before) / entries.length;
    for (let index = 0; index < 100_000; index++)
      expect(tree.match(`run.${index % 1_000}.task.${index}.event`)).toBe(1);
    expect(tree.remembered).toBeLessThanOrEqual(8_192);
    for (const entry of entries) tree.remove(entry.pattern, entry);
    expect(tree.match('run.1.task.1.event')).toBe(0);
    expect(each).toBeLessThan(2_000);
  });

  test('does not remember inboxes, which are used once', () => {
    const tree = new SubjectTree<object, readonly object[]>({ compile: (found) => found });
    tree.add('_inbox.a.*', {});
    expect(tree.match('_inbox.a.1')).toHaveLength(1);
    expect(tree.remembered).toBe(0);
  });
});

function isAccepted(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'BUS_INVALID_SUBJECT' });
    return false;
  }
}
