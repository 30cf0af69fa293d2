import { describe, expect, test } from 'vitest';
import { WorkflowInvalidError } from './errors.ts';
import { resolveInputs } from './inputs.ts';
import type { InputDefinition, JsonValue } from './workflow.ts';

const inputs: Readonly<Record<string, InputDefinition>> = {
  root: { type: 'path', default: './src' },
  depth: { type: 'number', default: 2 },
  strict: { type: 'boolean', default: false },
  mode: { type: 'string', choices: ['fast', 'thorough'], description: 'How hard to look' },
};
const workflow = { name: 'w', directory: '/flow', inputs };
const options = { cwd: '/here' };

function problems(given: Record<string, JsonValue>): readonly string[] {
  try {
    resolveInputs(workflow, given, options);
  } catch (error) {
    if (!(error instanceof WorkflowInvalidError)) throw error;
    return error.problems.map(
      ({ path, message, suggestion }) => `${path} ${message}${suggestion ? ` [${suggestion}]` : ''}`,
    );
  }
  return [];
}

describe('resolveInputs', () => {
  test('takes a given path from the caller, a default one from the workflow', () => {
    expect({ ...resolveInputs(workflow, { mode: 'fast' }, options) }).toEqual({
      root: '/flow/src',
      depth: 2,
      strict: false,
      mode: 'fast',
    });
    expect(resolveInputs(workflow, { mode: 'fast', root: 'lib' }, options).root).toBe('/here/lib');
    expect(resolveInputs(workflow, { mode: 'fast', root: '/abs' }, options).root).toBe('/abs');
  });

  test('converts text, as a command line gives it', () => {
    expect(resolveInputs(workflow, { mode: 'fast', depth: '-1.5e2', strict: 'true' }, options)).toMatchObject({
      depth: -150,
      strict: true,
    });
    expect(resolveInputs(workflow, { mode: 'fast', depth: 7, strict: true }, options)).toMatchObject({
      depth: 7,
      strict: true,
    });
  });

  test('lists everything that is wrong at once', () => {
    expect(problems({ dept: '1', strict: 'yes', depth: '3 m', root: 5 })).toEqual([
      'inputs.dept the workflow has no input "dept" [depth]',
      'inputs.root the input "root" must be a path, not the number 5',
      'inputs.depth the input "depth" must be a number, not "3 m"',
      'inputs.strict the input "strict" must be true or false, not "yes" [true]',
      'inputs.mode the input "mode" (How hard to look) has no default: give it a value',
    ]);
    expect(problems({ mode: 'fats', toString: 'x' })).toEqual([
      'inputs.toString the workflow has no input "toString"; it has root, depth, strict, mode',
      'inputs.mode the input "mode" must be one of fast, thorough, not "fats" [fast]',
    ]);
    expect(problems({ mode: 'fast', depth: '1e999', root: '' })).toEqual([
      'inputs.root the input "root" must be a path, and is empty or holds a NUL',
      'inputs.depth the input "depth" must be a finite number, not Infinity',
    ]);
  });

  test('accepts none but the choices', () => {
    expect(problems({ mode: 'slow' })).toEqual([
      'inputs.mode the input "mode" must be one of fast, thorough, not "slow"',
    ]);
  });
});
