// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of workflow files look like that
import { describe, expect, test } from 'vitest';
import { compileCondition, compileExpression, compileTemplate, type Reference, toText } from './expression.ts';
import type { Scope } from './workflow.ts';

const scope: Scope = {
  inputs: { n: 3, half: 0.5, name: 'x', list: [1, 2, { a: null }], flag: true, nothing: null },
  tasks: {
    files: { status: 'succeeded', output: { names: ['a', 'b'] } },
    'my-files': { status: 'skipped', output: null },
  },
};

describe('compileExpression', () => {
  test.for<[string, unknown]>([
    ['inputs.n', 3],
    ['inputs.list', [1, 2, { a: null }]],
    ['tasks["my-files"].output', null],
    ['tasks.files.output.names[1]', 'b'],
    ['size(tasks.files.output.names)', 2],
    ['1 + 2', 3],
    ['7 / 2', 3],
    ['inputs.n + 1', 4],
    ['10 - inputs.n', 7],
    ['inputs.n * inputs.half', 1.5],
    ['inputs.n / 2', 1.5],
    ['inputs.n % 2', 1],
    ['inputs.n == 3 && inputs.flag', true],
    ['has(inputs.missing) ? 1 : 2', 2],
    ['{"a": [1, inputs.name], "b": {"c": 1u}}', { a: [1, 'x'], b: { c: 1 } }],
    ['inputs.list.filter(item, item == 2)', [2]],
    ['"n is " + string(inputs.n)', 'n is 3'],
  ])('gives the JSON value of %s', ([source, value]) => {
    expect(compileExpression(source).evaluate(scope)).toEqual(value);
  });

  test.for<[string, RegExp]>([
    ['inputs.missing', /No such key: missing/],
    ['inputs.list[9]', /index|bounds/i],
    ['inputs.name + 1', /no such overload/],
    ['1 / 0', /division by zero/],
    ['inputs.n / 0', /Infinity, which JSON/],
    ['9007199254740993', /2\^53/],
    ['timestamp("2020-01-01T00:00:00Z")', /timestamp/],
    ['duration("3s")', /duration/],
    ['b"x"', /bytes/],
    ['type(1)', /no value for/],
    ['inputs.constructor', /No such key/],
    ['inputs.__proto__', /No such key/],
  ])('fails to evaluate %s, naming the place', ([source, reason]) => {
    const expression = compileExpression(source, { path: ['tasks', 'one', 'with', 'a b', 0] });
    expect(() => expression.evaluate(scope)).toThrow(
      expect.objectContaining({ code: 'WORKFLOW_EXPRESSION_FAILED', message: expect.stringMatching(reason) }),
    );
    expect(() => expression.evaluate(scope)).toThrow(/^tasks\.one\.with\["a b"\]\[0\]: the expression \$\{\{/);
  });

  test('evaluates nothing while it compiles', () => {
    expect(() => compileExpression('1 / 0')).not.toThrow();
  });

  test('throws what is no CEL, unless the problem is taken', () => {
    expect(() => compileExpression('1 +')).toThrow(expect.objectContaining({ code: 'WORKFLOW_INVALID' }));
    const offsets: unknown[] = [];
    compileExpression('1 + ]', { onFinding: ({ offset, message }) => offsets.push([offset, message]) });
    expect(offsets).toEqual([[4, 'expression: Unexpected token: "]"']]);
  });

  test.for<[string, readonly string[]]>([
    ['inputs.a + inputs["b"] + inputs.a', ['inputs.a', 'inputs.b']],
    ['tasks.files.output.names.map(n, n + inputs.suffix)', ['tasks.files', 'inputs.suffix']],
    ['inputs[inputs.which]', ['inputs', 'inputs.which']],
    ['has(tasks.files.output.x) ? {"k": [tasks.a.status]} : {}', ['tasks.files', 'tasks.a']],
    ['[{"x": 1}].map(inputs, inputs.x)', []],
    ['"inputs.a"', []],
  ])('knows what %s reads', ([source, references]) => {
    expect(compileExpression(source).references).toEqual(references);
  });

  test('says where each name that is read stands', () => {
    const found: Reference[] = [];
    const source = 'inputs.a + tasks["b-c"].output';
    compileExpression(source, { onReference: (reference) => found.push(reference) });
    expect(found.map(({ name, offset }) => [name, offset])).toEqual([
      ['a', source.indexOf('a')],
      ['b-c', source.indexOf('"b')],
    ]);
  });

  test('explains names with a hyphen', () => {
    expect(() => compileExpression('tasks.my-files.output')).toThrow(/is written tasks\["my-files"\]/);
  });
});

describe('compileTemplate', () => {
  test.for<[unknown, unknown]>([
    ['${{ inputs.n }}', 3],
    ['${{inputs.list}}', [1, 2, { a: null }]],
    [' ${{ inputs.n }}', ' 3'],
    ['${{ inputs.n }}${{ inputs.name }}', '3x'],
    ['a ${{ inputs.name }} b ${{ inputs.list }} c ${{ inputs.nothing }}', 'a x b [1,2,{"a":null}] c null'],
    ['${{ "}}" }}', '}}'],
    ['${{ r"\\d}}" + "\\"}}" }}', '\\d}}"}}'],
    ['${{ """a"}}""" }}', 'a"}}'],
    ['${{ {"a": {"b": 1}} }}', { a: { b: 1 } }],
    ['${{ {"a":{"b":1}}}}', { a: { b: 1 } }],
    ['${{ "${{" }} is kept', '${{ is kept'],
    ['$ { {{ }} ${ }', '$ { {{ }} ${ }'],
    ['${{ 1 // }}\n + 1 }}', 2],
    [
      { a: ['${{ inputs.n }}', null, { b: 'x${{ inputs.n }}' }], c: 1 },
      { a: [3, null, { b: 'x3' }], c: 1 },
    ],
  ])('evaluates %j', ([source, value]) => {
    expect(compileTemplate(source as string).evaluate(scope)).toEqual(value);
  });

  test('keeps null where an expression gives it', () => {
    expect(compileTemplate(['${{ inputs.nothing }}']).evaluate(scope)).toEqual([null]);
  });

  test('hands a constant value out as it is', () => {
    const source = { a: ['b', { c: null }] };
    const template = compileTemplate(source);
    expect(template.constant).toBe(true);
    expect(template.references).toEqual([]);
    expect(template.evaluate(scope)).toBe(source);
  });

  test('does not evaluate what values hold', () => {
    const told = { ...scope, inputs: { name: '${{ inputs.n }}' } };
    expect(compileTemplate('say ${{ inputs.name }}').evaluate(told)).toBe('say ${{ inputs.n }}');
  });

  test('refuses keys and open braces', () => {
    expect(() => compileTemplate({ '${{ 1 }}': 1 })).toThrow(/not in keys/);
    expect(() => compileTemplate('${{ 1')).toThrow(/has no "}}"/);
  });
});

describe('compileCondition', () => {
  test('gives true or false', () => {
    expect(compileCondition(' ${{ inputs.n > 2 }} ').evaluate(scope)).toBe(true);
    expect(compileCondition('${{ inputs.flag && tasks.files.status != "succeeded" }}').evaluate(scope)).toBe(false);
  });

  test('fails on any other value', () => {
    expect(() => compileCondition('${{ inputs.n }}', { path: ['tasks', 'a', 'when'] }).evaluate(scope)).toThrow(
      'tasks.a.when: the expression ${{ inputs.n }} failed: it must give true or false, and gave 3',
    );
    expect(() => compileCondition('${{ "yes" }}')).toThrow(/must give true or false/);
    expect(() => compileCondition('inputs.flag')).toThrow(/Did you mean "\$\{\{ inputs.flag \}\}"/);
  });
});

describe('toText', () => {
  test('writes text as it is and the rest as compact JSON', () => {
    expect([toText('a "b"'), toText({ a: [1] }), toText(null), toText(1.5)]).toEqual([
      'a "b"',
      '{"a":[1]}',
      'null',
      '1.5',
    ]);
  });
});
