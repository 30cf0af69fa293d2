import { describe, expect, test } from 'vitest';
import { syntaxOf } from './syntax.ts';

const functionsIn = (source: string) => syntaxOf('a.ts', source).functions;

/** The examples of the paper that defines the measure, in its own words where the language allows. */
const sumOfPrimes = `function sumOfPrimes(max, b, c, d, e, f) {
  let total = 0;
  OUT: for (let i = 1; i <= max; ++i) {
    for (let j = 2; j < i; ++j) {
      if (i % j === 0) {
        continue OUT;
      }
    }
    total += i;
  }
  return total;
}`;
const getWords = `function getWords(number, b, c, d, e, f) {
  switch (number) {
    case 1: return 'one';
    case 2: return 'a couple';
    case 3: return 'a few';
    default: return 'lots';
  }
}`;

describe('functionsOf', () => {
  test.for([
    [
      'sumOfPrimes of the paper',
      sumOfPrimes,
      { name: 'sumOfPrimes', cognitive: 7, cyclomatic: 4, depth: 3, lines: 12 },
    ],
    ['getWords of the paper', getWords, { name: 'getWords', cognitive: 1, cyclomatic: 4, depth: 1 }],
    [
      'else and else if',
      'function f(a, b, c, d, e, g) { if (a) {} else if (b) {} else {} }',
      { cognitive: 3, cyclomatic: 3 },
    ],
    [
      'runs of like operators',
      'function f(a, b, c, d, e, g) { return a && b && c || d || e && g; }',
      { cognitive: 3, cyclomatic: 6 },
    ],
    ['a nested ternary', 'function f(a, b, c, d, e, g) { return a ? b ? 1 : 2 : 3; }', { cognitive: 3, cyclomatic: 3 }],
    [
      'try and catch',
      'function f(a, b, c, d, e, g) { try { a(); } catch { if (b) c(); } }',
      { cognitive: 3, cyclomatic: 3 },
    ],
    ['recursion', 'function f(a, b, c, d, e, g) { return f(a); }', { cognitive: 1, cyclomatic: 1 }],
    ['a callback', 'function f(a, b, c, d, e, g) { a.map((x) => { if (x) b(); }); }', { cognitive: 2, cyclomatic: 2 }],
    [
      'a function of its own inside',
      'function f(a, b, c, d, e, g) { const inner = () => { if (a) b(); }; inner(); }',
      { cognitive: 0, cyclomatic: 1 },
    ],
  ] as const)('measures %s', ([, source, expected]) => {
    expect(functionsIn(source).notable).toMatchObject([expected]);
  });

  test.for([
    ['class C { #m(a, b, c, d, e, f) {} }', 'C.#m'],
    ['class C { constructor(a, b, c, d, e, f) {} }', 'C.constructor'],
    ['const f = (a, b, c, d, e, g) => 1;', 'f'],
    ['const o = { f(a, b, c, d, e, g) {} };', 'f'],
    ['o.p = function (a, b, c, d, e, g) {};', 'o.p'],
    ['call.me(function (a, b, c, d, e, g) {});', 'a callback of call.me'],
    ['function outer() { return (a, b, c, d, e, g) => 1; }', 'a function returned by outer'],
    ['export default function (a, b, c, d, e, g) {}', 'an unnamed function'],
  ])('names the function of %s', ([source, name]) => {
    expect(functionsIn(source ?? '').notable.map((fact) => fact.name)).toEqual([name]);
  });
});

describe('syntaxOf', () => {
  test('tells imports apart by when they load and what they take', () => {
    const { imports } = syntaxOf(
      'a.ts',
      `import './effect';
import a, { b as c, type T } from 'one';
import type { U } from 'two';
import { V } from 'three';
import * as ns from 'four';
const lazy = async () => (await import('five')).x;
const top = require('six');
import eq = require('seven');
export type W = V | T | U | import('eight').Y;
a(c, ns.p, ns.q);
import.meta.resolve('nine');
vi.mock('ten');
export {};
`,
    );
    expect(imports.map(({ specifier, kind, names }) => [specifier, kind, names])).toEqual([
      ['./effect', 'import', []],
      ['one', 'import', ['T', 'b', 'default']],
      ['two', 'type', ['U']],
      ['three', 'type', ['V']],
      ['four', 'import', ['p', 'q']],
      ['five', 'lazy', ['x']],
      ['six', 'require', '*'],
      ['seven', 'require', '*'],
      ['eight', 'type', '*'],
      ['nine', 'resolve', []],
      ['ten', 'mock', []],
    ]);
  });

  test('tells exports apart by what they are and whether a word is said of them', () => {
    const { exports, reexports } = syntaxOf(
      'a.ts',
      `/** Told. */
export function f(): void;
export function f(x?: number) {}
export interface Options {
  /** Told here. */
  readonly x: number;
}
export const { one, two: [three] } = f();
class Late {}
export { Late as Named, Late };
export default Late;
export * from './all';
export * as ns from './ns';
export { x as y, default } from './x';
`,
    );
    expect(exports.map(({ name, kind, documented, usedHere }) => [name, kind, documented, usedHere])).toEqual([
      ['f', 'function', true, true],
      ['Options', 'type', true, false],
      ['one', 'variable', false, false],
      ['three', 'variable', false, false],
      ['Named', 'class', false, false],
      ['Late', 'class', false, false],
      ['default', 'class', false, false],
    ]);
    expect(reexports.map(({ specifier, names }) => [specifier, names])).toEqual([
      ['./all', '*'],
      ['./ns', [['ns', '*']]],
      [
        './x',
        [
          ['y', 'x'],
          ['default', 'default'],
        ],
      ],
    ]);
  });
});
