import { describe, expect, test } from 'vitest';
import { exitCodeOf } from './command.ts';
import { type CaseComparison, confirm, correctForMany, summarise } from './comparison.ts';
import { medianRatioEvidence, seededRandom } from './stats.ts';
import { judgeRatio, verdictLimits } from './verdict.ts';

describe('correctForMany', () => {
  test('raises a false alarm in at most 1 of 20 compares of 20 cases each, none of which changed', () => {
    let [alarmed, naive] = [0, 0];
    for (let compare = 0; compare < 60; compare += 1) {
      const cases = Array.from({ length: 20 }, (_, place) => compareEqual(compare * 20 + place));
      if (cases.some(({ outcome }) => outcome === 'slower')) naive += 1;
      if (correctForMany(cases).some(({ outcome }) => outcome === 'slower')) alarmed += 1;
    }
    expect(alarmed).toBeLessThanOrEqual(3);
    // Naive version that fails here: each case by its own interval.
    expect(naive).toBeGreaterThan(3);
  });

  test('keeps a finding that is clear among many', () => {
    const clear = {
      ...compareEqual(1),
      name: 'clear',
      outcome: 'slower',
      chance: { slower: 1 / 4001, faster: 1 },
    } as const;
    const corrected = correctForMany([clear, ...Array.from({ length: 30 }, (_, seed) => compareEqual(seed))]);
    expect(corrected[0]).toBe(clear);
  });

  test('says why a finding was taken back, and leaves exact figures alone', () => {
    const doubtful = { ...compareEqual(1), outcome: 'slower', chance: { slower: 0.02, faster: 1 } } as const;
    const exact: CaseComparison = { name: 'size', kind: 'size', outcome: 'worse' };
    const others = [2, 3, 4].map(compareEqual);
    const corrected = correctForMany([doubtful, exact, ...others]);
    expect(corrected[0]).toMatchObject({
      outcome: 'inconclusive',
      reason: 'Alone it would count as slower; among 4 cases one like it comes by chance.',
    });
    expect(corrected[1]).toBe(exact);
  });
});

describe('confirm', () => {
  test('needs the second measurement to agree before something is bad', () => {
    const slower: CaseComparison = { name: 'a/b', outcome: 'slower' };
    expect(confirm(slower, [slower])).toBe(slower);
    expect(confirm(slower, [{ name: 'a/b', outcome: 'inconclusive' }])).toMatchObject({
      outcome: 'inconclusive',
      reason: 'It looked slower once and not the second time.',
    });
    expect(confirm(slower, []).outcome).toBe('inconclusive');
    expect(confirm({ name: 'a/b', outcome: 'faster' }, []).outcome).toBe('faster');
  });
});

describe('exitCodeOf', () => {
  test.for([
    { outcomes: ['inconclusive', 'slower'], code: 1 },
    { outcomes: ['tooNoisy', 'worse'], code: 1 },
    { outcomes: ['inconclusive', 'tooNoisy'], code: 0 },
    { outcomes: ['tooNoisy', 'notComparable'], code: 4 },
    { outcomes: [], code: 4 },
  ] as const)('of $outcomes is $code', ({ outcomes, code }) => {
    expect(exitCodeOf(outcomes.map((outcome) => ({ name: 'a/b', outcome })))).toBe(code);
  });
});

describe('summarise', () => {
  test('names what is bad and counts the rest', () => {
    const outcomes = ['slower', 'worse', 'faster', 'tooNoisy'] as const;
    expect(summarise(outcomes.map((outcome, index) => ({ name: `a/${index}`, outcome })))).toBe(
      'Slower: a/0; Worse: a/1; 1 better, 0 without a proven change, 1 too noisy, 0 not comparable.',
    );
  });
});

/** Equal code, held against the limit 1 so that chance has its full share: what is tested is the correction. */
function compareEqual(seed: number): CaseComparison {
  const random = seededRandom(seed + 1);
  const rounds = () => Array.from({ length: 11 }, () => 1000 * Math.exp(0.05 * gaussian(random)));
  const evidence = medianRatioEvidence(rounds(), rounds(), { seed: seed + 1, resamples: 2000 });
  const limits = { ...verdictLimits, slowerAbove: 1 };
  return {
    name: `sample/${seed}`,
    outcome: judgeRatio(evidence, limits),
    chance: { slower: evidence.atOrBelow(1), faster: 1 },
  };
}

/** Box and Muller. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
