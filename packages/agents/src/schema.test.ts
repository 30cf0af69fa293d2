import { describe, expect, test } from 'vitest';
import { agentSchemas } from './schema.ts';

describe('agentSchemas', () => {
  test.for(Object.entries(agentSchemas))('describes every key of %s and refuses others', ([name, schema]) => {
    expect(schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      properties: { adapter: { const: name } },
    });
    const { properties, required } = schema as { properties: Record<string, object>; required: string[] };
    for (const property of Object.values(properties)) expect(property).toHaveProperty('description');
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(required));
  });
});
