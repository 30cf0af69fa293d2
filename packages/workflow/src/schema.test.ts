import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseWorkflow } from './load.ts';
import { workflowSchema } from './schema.ts';

const directory = fileURLToPath(new URL('../test/fixtures', import.meta.url));
const source = await readFile(`${directory}/full.yaml`, 'utf8');
// As a stranger's editor would use it: no options of ours.
const check = new Ajv({ allowUnionTypes: true, strictTypes: false, strictRequired: false }).compile(workflowSchema);

describe('workflowSchema', () => {
  test('accepts the file that holds every key', () => {
    expect(check(parse(source))).toBe(true);
  });

  test('describes every key', () => {
    const undescribed: string[] = [];
    visit(workflowSchema, '');
    expect(undescribed).toEqual([]);

    function visit(schema: unknown, path: string): void {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [key, value] of Object.entries(schema)) {
        if (key === 'properties' && !path.includes('/if')) {
          for (const [name, property] of Object.entries(value as Record<string, object>)) {
            if (!('description' in property)) undescribed.push(`${path}/${name}`);
          }
        }
        visit(value, `${path}/${key}`);
      }
    }
  });

  test.for<[string, string, string]>([
    ['an unknown key', 'onFailure: stop', 'onFailur: stop'],
    ['a wrong choice', 'onFailure: stop', 'onFailure: never'],
    ['a wrong type', 'concurrency: 16', 'concurrency: many'],
    ['a number out of range', 'concurrency: 16', 'concurrency: 0'],
    ['a duration without a unit', 'timeout: 30s', 'timeout: 30'],
    ['a bad task id', '  count:', '  9count:'],
    ['an unknown adapter', 'adapter: codex', 'adapter: codecs'],
    ["another adapter's key", 'sandbox: read-only', 'maxTurns: 3'],
    ['an unknown failure', 'on: timeout', 'on: whatever'],
    ['no agent', '    agent: counter\n', ''],
    ['a list of tasks that is none', 'needs: [review]', 'needs: [1]'],
  ])('refuses %s, as loading does', ([, good, bad]) => {
    const text = source.replace(good, bad);
    expect(text).not.toBe(source);
    expect(check(parse(text))).toBe(false);
    expect(() => parseWorkflow(text, { directory })).toThrow(expect.objectContaining({ code: 'WORKFLOW_INVALID' }));
  });
});
