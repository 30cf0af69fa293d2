import { describe, expect, test } from 'vitest';
import { anchorOf, markdownFacts } from './markdown.ts';

describe('anchorOf', () => {
  test.for([
    ['Getting Started', 'getting-started'],
    ['`cache.getOrSet()` and more', 'cachegetorset-and-more'],
    ['What is *this*, **really**?', 'what-is-this-really'],
    ['Über snake_case & Co.', 'über-snake_case--co'],
    ['[Linked](https://example.test) heading', 'linked-heading'],
    ['1.2.0 — 2024', '120--2024'],
  ] as const)('makes of %j what GitHub makes', ([heading, anchor]) => {
    expect(anchorOf(heading)).toBe(anchor);
  });
});

describe('markdownFacts', () => {
  test('reads headings, links and code words, and nothing from code blocks and comments', () => {
    const facts = markdownFacts(
      'a.md',
      `Title
=====

## Twice
## Twice

[a](b.md "title") ![i](<c d.png>) [p](w(1).md) \`[no](no.md)\`
<!-- [no](no.md)
## No
--> <a id="here" href="e.md">e</a>

\`\`\`js
[no](no.md); call(me);
## No
\`\`\`

[ref]: f.md
`,
    );
    expect(facts).toMatchObject({ title: 'Title', codeBlocks: 1, anchors: ['here', 'title', 'twice', 'twice-1'] });
    expect(facts.links.map((link) => [link.line, link.target])).toEqual([
      [7, 'b.md'],
      [7, 'c d.png'],
      [7, 'w(1).md'],
      [10, 'e.md'],
      [17, 'f.md'],
    ]);
    expect(facts.words).toEqual(expect.arrayContaining(['call', 'me']));
  });
});
