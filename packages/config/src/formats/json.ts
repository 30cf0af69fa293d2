/** JSON, and JSON with comments and trailing commas. A key given twice is a problem, as it is in YAML and TOML. */
import type { Node } from 'jsonc-parser';
import { isStackOverflow, type Located, located, type ParsedText, rawObject, type TextLimits } from './parsed-text.ts';
import { parseSimpleJson } from './simple-json.ts';

export async function parseJson(text: string, limits: TextLimits, dialect: 'json' | 'jsonc'): Promise<ParsedText> {
  const simple = parseSimpleJson(text, limits);
  if (simple !== undefined) return simple;
  // The package is CommonJS built in a way that hides its names from `import { … }`.
  const { default: jsonc } = await import('jsonc-parser');
  const errors: import('jsonc-parser').ParseError[] = [];
  const withComments = dialect === 'jsonc';
  let tree: Node | undefined;
  try {
    tree = jsonc.parseTree(text, errors, {
      disallowComments: !withComments,
      allowTrailingComma: withComments,
      allowEmptyContent: true,
    });
  } catch (error) {
    if (!isStackOverflow(error)) throw error;
    const message = `is nested deeper than maxDepth (${limits.maxDepth})`;
    return { value: undefined, root: () => located(0), problems: [{ offset: 0, message }] };
  }
  const problems = errors.map(({ error, offset }) => ({ offset, message: inWords(jsonc.printParseErrorCode(error)) }));
  const root = located(0, tree?.offset ?? 0);
  if (problems.length > 0 || tree === undefined) return { value: undefined, root: () => root, problems };
  return { value: toValue(tree, root, limits.maxDepth, problems), root: () => root, problems };
}

function toValue(node: Node, place: Located, depthLeft: number, problems: { offset: number; message: string }[]) {
  if (node.type !== 'object' && node.type !== 'array') return node.value;
  if (depthLeft === 0) {
    problems.push({ offset: node.offset, message: 'is nested deeper than maxDepth' });
    return undefined;
  }
  if (node.type === 'array') {
    const elements: unknown[] = [];
    for (const element of node.children ?? []) {
      const child = located(element.offset);
      place.children.set(String(elements.length), child);
      elements.push(toValue(element, child, depthLeft - 1, problems));
    }
    return elements;
  }
  const members = rawObject();
  for (const { children: [key, value] = [] } of node.children ?? []) {
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    if (place.children.has(name)) problems.push({ offset: key.offset, message: `the key "${name}" is given twice` });
    const child = located(key.offset, value.offset);
    place.children.set(name, child);
    members[name] = toValue(value, child, depthLeft - 1, problems);
  }
  return members;
}

/** `CommaExpected` → `comma expected` */
function inWords(code: string): string {
  const words = code.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return words === 'invalid comment token' ? 'comments are not allowed here; name the file .jsonc' : words;
}
