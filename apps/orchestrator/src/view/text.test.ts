import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { colorsFor } from './colors.ts';
import { formatDuration, formatMoney } from './format.ts';
import { plainLines, truncate } from './plain-text.ts';
import { resultLines } from './result.ts';
import { tableLines } from './table.ts';

const colors = colorsFor({ environment: {}, isTerminal: true, wanted: false });

describe('formatDuration', () => {
  test.for([
    [0, '0 ms'],
    [94, '94 ms'],
    [95, '0.1 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 min 00 s'],
    [3_599_000, '59 min 59 s'],
    [3_600_000, '1 h 00 min'],
    [90_000_000, '1 d 1 h'],
    [-5, '0 ms'],
  ] as const)('says %d as %s', ([ms, text]) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatMoney', () => {
  test.for([
    [0, '$0.00'],
    [1.005, '$1.00'],
    [0.0042, '$0.0042'],
    [0.0000001, '<$0.000001'],
    [1234.5, '$1234.50'],
  ] as const)('says %d as %s', ([usd, text]) => {
    expect(formatMoney(usd)).toBe(text);
  });
});

describe('truncate', () => {
  test.for(['plain text', '漢字漢字', 'e\u0301e\u0301e\u0301', '👩‍👩‍👧‍👦👩‍👩‍👧‍👦', ''])(
    'never gives %s more columns than there are',
    (text) => {
      for (let width = 0; width <= 12; width += 1) {
        const shown = truncate(text, width);
        expect(stringWidth(shown)).toBeLessThanOrEqual(width);
        if (stringWidth(text) <= width) expect(shown).toBe(text);
      }
    },
  );
});

describe('tableLines', () => {
  test('aligns numbers to the right and cuts the widest column', () => {
    const table = {
      columns: ['what', 'n'],
      rows: [
        ['short', 1],
        ['something rather long to say', 12_345],
      ],
    };
    expect(tableLines(table, 24, colors)).toEqual([
      'what                   n',
      'short                  1',
      'something rathe…  12,345',
    ]);
  });

  test('fits any width, and takes rows that are too short or too long', () => {
    const table = {
      columns: ['a', 'b', 'c'],
      rows: [['x'.repeat(50)], ['x', 'y', 'z', 'more'], ['\u001b[31mred', '漢字', 3]],
    };
    for (let width = 1; width < 60; width += 1) {
      for (const line of tableLines(table, width, colors)) expect(stringWidth(line)).toBeLessThanOrEqual(width);
    }
  });
});

describe('resultLines', () => {
  const show = (output: Parameters<typeof resultLines>[0]) =>
    resultLines(output, { columns: 40, colors, directory: '/home/me' });

  test('shows headline and files, those below the folder by their shorter name', () => {
    const output = {
      headline: 'Done\u0007',
      files: { report: '/home/me/out/report.html', log: '/var/log/x', no: 'relative' },
    };
    expect(show(output)).toEqual(['Done', '', 'report  out/report.html', 'log     /var/log/x']);
  });

  test.for([
    ['a text', 'one\n\u001b[31mtwo', ['one', 'two']],
    ['nothing', null, []],
    ['an object', { a: 1 }, ['{', '  "a": 1', '}']],
    [
      'an odd table',
      { table: { columns: 'x', rows: [] } },
      ['{', '  "table": {', '    "columns": "x",', '    "rows": []', '  }', '}'],
    ],
  ] as const)('shows %s as it is', ([, output, lines]) => {
    expect(show(output)).toEqual(lines);
  });

  test('bounds what it shows', () => {
    expect(show(Array.from({ length: 100 }, () => 'x').join('\n'))).toHaveLength(41);
  });
});

describe('plainLines', () => {
  test('keeps lines and takes everything that steers a terminal', () => {
    expect(plainLines('a\tb\r\nc\u001b]8;;http://x\u0007link\u001b]8;;\u0007\n\u009b31md\n\n')).toEqual([
      'a  b',
      'clink',
      'd',
    ]);
  });
});
