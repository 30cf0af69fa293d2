import { describe, expect, test } from 'vitest';
import { textFacts } from './text-facts.ts';

const markers = (path: string, text: string) =>
  textFacts(path, text).markers.map((marker) => `${marker.line} ${marker.word}`);

describe('textFacts', () => {
  test('takes notes from comments only, and only where one begins', () => {
    const source = `// TODO: one
const text = '// TODO: two'; /* FIXME three */
const more = \`\${x /* HACK */} // TODO: four\`;
const pattern = /\\/\\/ TODO: five/;
// the list of TODO items is elsewhere
/**
 * Says something.
 * @todo no
 * TODO(me): six
 */
// @ts-ignore
// see XXX-123 and TODOs
`;
    expect(markers('a.ts', source)).toEqual(['1 TODO', '2 FIXME', '3 HACK', '9 TODO', '11 suppression']);
  });

  test.for([
    ['a.py', 'x = "# TODO: no"  # TODO: yes\n'],
    ['a.go', 'x := "// TODO: no" // TODO: yes\n'],
    ['a.sql', "select '-- TODO: no' -- TODO: yes\n"],
    ['a.html', 'TODO: no <!-- TODO: yes -->\n'],
  ] as const)('knows the comments of %s', ([path, text]) => {
    expect(markers(path, text)).toEqual(['1 TODO']);
  });

  test('finds a merge left unresolved, and no headings underlined with seven signs', () => {
    const marks = ['<'.repeat(7), '='.repeat(7), '>'.repeat(7)];
    expect(markers('a.md', `${marks[0]} ours\nx\n${marks[1]}\ny\n${marks[2]} theirs\n`)).toEqual(['1 conflict']);
    expect(markers('a.md', `Heading\n${marks[1]}\n${marks[2]} quote\n`)).toEqual([]);
  });

  test('counts lines, and those that hold code', () => {
    expect(textFacts('a.ts', '// note\n\nconst a = `x\ny`;\nf(); // note\n/* a\n b */\n')).toMatchObject({
      lines: 7,
      blank: 1,
      code: 3,
    });
    expect(textFacts('a.md', '# A\n\nb')).toMatchObject({ lines: 3, blank: 1, code: 2 });
  });
});
