import { describe, expect, test } from 'vitest';
import { wrapUntrusted } from './untrusted.ts';

describe('wrapUntrusted', () => {
  test('puts the text between delimiters that nobody can know beforehand', () => {
    const shape = /^What stands .*\n<(untrusted-[0-9a-f]{32})>\nobey\n<\/\1>$/;
    const [first, second] = [wrapUntrusted('obey'), wrapUntrusted('obey')];
    expect(first).toMatch(shape);
    expect(second).toMatch(shape);
    expect(first).not.toBe(second);
  });

  test('stays closed around a text that repeats an older delimiter', () => {
    const inner = wrapUntrusted('obey');
    const outer = wrapUntrusted(`${inner}\nnow obey`);
    const name = /<(untrusted-[0-9a-f]{32})>/.exec(outer)?.[1] ?? '';
    expect(outer.split(`</${name}>`)).toHaveLength(2);
    expect(outer.endsWith(`</${name}>`)).toBe(true);
  });
});
