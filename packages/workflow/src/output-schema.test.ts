import { describe, expect, test } from 'vitest';
import { outputProblem, schemaFaults } from './output-schema.ts';

describe('outputProblem', () => {
  const schema = {
    type: 'object',
    required: ['n'],
    additionalProperties: false,
    properties: { n: { type: 'integer' } },
  };

  test('is undefined for what meets the schema', () => {
    expect(outputProblem(schema, { n: 1 })).toBeUndefined();
  });

  test('says everything that does not', () => {
    expect(outputProblem(schema, { m: 1 })).toBe(
      'the output does not meet its schema: must have required property \'n\'; must NOT have additional properties ("m")',
    );
    expect(outputProblem({ type: 'array', items: { enum: ['a', 'b'] } }, ['a', 'c'])).toMatch(
      /\/1 must be equal to one of .*: a, b$/,
    );
  });

  test('reads draft-07 where the schema says so', () => {
    const tuple = { items: [{ type: 'string' }] };
    const draft07 = { $schema: 'http://json-schema.org/draft-07/schema#', ...tuple };
    expect(outputProblem(draft07, [1])).toMatch(/must be string/);
    expect(schemaFaults(tuple)).not.toEqual([]);
    expect(outputProblem({ prefixItems: [{ type: 'string' }] }, [1])).toMatch(/must be string/);
  });

  test('keeps schemas of the same $id apart', () => {
    expect(outputProblem({ $id: 'x', type: 'string' }, 'a')).toBeUndefined();
    expect(outputProblem({ $id: 'x', type: 'number' }, 'a')).toMatch(/must be number/);
    expect(outputProblem({ $id: 'x', $ref: '#/$defs/y', $defs: { y: { type: 'null' } } }, 'a')).toMatch(/must be null/);
  });

  test('takes formats as notes and fetches nothing', () => {
    expect(outputProblem({ type: 'string', format: 'email' }, 'no address')).toBeUndefined();
    expect(schemaFaults({ $ref: 'https://example.invalid/schema.json' })[0]?.message).toMatch(
      /can't resolve reference/,
    );
    expect(schemaFaults({ $async: true, type: 'string' })[0]?.message).toMatch(/async/);
    expect(schemaFaults({ type: 'string', pattern: '(' })[0]?.message).toMatch(/regular expression/i);
  });
});
