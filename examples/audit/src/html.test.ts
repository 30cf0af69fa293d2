import fc from 'fast-check';
import { expect, test } from 'vitest';
import { html } from './html.ts';
import { code, plain } from './report-markdown.ts';

test('html lets no value end a text or an attribute', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '`', '\n', '\u202e', '\u0000', 'a', ' ', '=', '/') }),
      (text) => {
        const page = html`<p title="${text}">${text}</p>`.toString();
        expect(page).toMatch(/^<p title="[^"<>]*">[^<>]*<\/p>$/);
      },
    ),
  );
});

test('html keeps what it made as it is, and leaves out what is not there', () => {
  const inner = html`<b>${'<'}</b>`;
  expect(html`${[inner, inner]}${null}${undefined}${false}${0}`.toString()).toBe('<b>&lt;</b><b>&lt;</b>0');
});

test('plain and code leave nothing that Markdown reads as markup or as a new line', () => {
  const unit = fc.constantFrom(
    '<',
    '>',
    '`',
    '*',
    '_',
    '[',
    ']',
    '|',
    '\\',
    '#',
    '!',
    '~',
    '\n',
    '\r',
    '\u2028',
    'a',
    ' ',
  );
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      expect(plain(text).replace(/\\[\\`*_[\]|~#!>]|&lt;|&amp;/g, '')).not.toMatch(/[<>`*_[\]|\\~#!\n\r\u2028]/);
      const span = code(text);
      if (span.startsWith('`')) expect(span).toMatch(/^`[^`<>&|\n\r\u2028]*`$/);
      else expect(span).toBe(plain(text));
    }),
  );
});
