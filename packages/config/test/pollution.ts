/** Fifty settings that try to reach a prototype, and the ways to bring each into a load. */

/** Anything that JSON can write; a `__proto__` in it is an own key. */
export type Payload = { readonly name: string; readonly json: string };

export const payloads: readonly Payload[] = [
  ...shapesOf('__proto__'),
  ...shapesOf('constructor'),
  ...shapesOf('prototype'),
]
  .concat([
    { name: 'constructor.prototype', json: '{"constructor":{"prototype":{"polluted":true}}}' },
    { name: '__proto__ of __proto__', json: '{"__proto__":{"__proto__":{"polluted":true}}}' },
  ])
  .map(({ name, json }, index) => ({ name: `${index + 1} ${name}`, json }));

function shapesOf(key: string): Payload[] {
  const evil = `{"${key}":{"polluted":true}}`;
  const shapes: Readonly<Record<string, string>> = {
    'at the top': evil,
    'below a setting': `{"agents":{"x":${evil}}}`,
    'in a list': `{"list":[${evil}]}`,
    'in a list of lists': `{"list":[[1,[${evil}]]]}`,
    'as text': `{"${key}":"polluted"}`,
    'as a number': `{"a":{"${key}":1}}`,
    'as a list': `{"${key}":[{"polluted":true}]}`,
    'as an empty object': `{"a":{"${key}":{}}}`,
    'beside honest settings': `{"a":1,"${key}":{"polluted":true},"b":2}`,
    'in two places': `{"a":${evil},"b":{"c":${evil}}}`,
    'far down': `${'{"d":'.repeat(30)}${evil}${'}'.repeat(30)}`,
    'with methods': `{"${key}":{"toString":"polluted","valueOf":1,"polluted":true}}`,
    'below a name with a dot': `{"a.b":${evil}}`,
    'below a number': `{"list":{"0":${evil}}}`,
    'below the name of a method': `{"hasOwnProperty":${evil}}`,
    'in the third element': `{"list":[1,{"a":2},${evil}]}`,
  };
  return Object.entries(shapes).map(([name, json]) => ({ name: `${key} ${name}`, json }));
}

/** One way to write a payload as the text of a file. */
export const writings: Readonly<Record<string, (json: string) => string>> = {
  json: (json) => json,
  'json, escaped': (json) => escapeKeys(json, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
  jsonc: (json) => json.replace('{', '{ // a comment\n').replace(/\}$/, ',}'),
  yaml: (json) => yaml(JSON.parse(json), 0),
  'yaml, flow': (json) => json,
  'yaml, escaped': (json) => escapeKeys(json, (letter) => `\\x${letter.charCodeAt(0).toString(16)}`),
  'yaml, tagged keys': (json) => json.replaceAll(/"(__proto__|constructor|prototype)":/g, '? !!str $1\n : '),
  'yaml, through an alias': (json) => `x: &x ${json}\ny: *x\n`,
  'yaml, merged': (json) => `x: &x ${json}\ny:\n  <<: *x\n`,
  toml: (json) =>
    Object.entries(JSON.parse(json))
      .map(([key, value]) => `${bare(key)} = ${toml(value, bare)}`)
      .join('\n'),
  'toml, escaped': (json) =>
    Object.entries(JSON.parse(json))
      .map(([key, value]) => `${unicode(key)} = ${toml(value, unicode)}`)
      .join('\n'),
};

export function extensionOf(writing: string): string {
  return /^\w+/.exec(writing)?.[0] ?? '';
}

function escapeKeys(json: string, escapeLetter: (letter: string) => string): string {
  return json.replaceAll(
    /"(__proto__|constructor|prototype)":/g,
    (_, key: string) => `"${[...key].map(escapeLetter).join('')}":`,
  );
}

function yaml(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  const pad = '  '.repeat(depth);
  return entries
    .map(([key, member]) => {
      const head = Array.isArray(value) ? '-' : `${/^\w+$/.test(key) && !/^\d/.test(key) ? key : JSON.stringify(key)}:`;
      const isInner = typeof member === 'object' && member !== null && Object.keys(member).length > 0;
      return isInner ? `\n${pad}${head}${yaml(member, depth + 1)}` : `\n${pad}${head} ${yaml(member, depth)}`;
    })
    .join('')
    .slice(depth === 0 ? 1 : 0);
}

function toml(value: unknown, keyOf: (key: string) => string): string {
  if (Array.isArray(value)) return `[${value.map((each) => toml(each, keyOf)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, member]) => `${keyOf(key)} = ${toml(member, keyOf)}`)
    .join(', ')} }`;
}

function bare(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}

function unicode(key: string): string {
  return `"${[...key].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
}
