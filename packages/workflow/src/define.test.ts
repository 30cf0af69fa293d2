// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of workflow files look like that
import { describe, expect, test } from 'vitest';
import { defineWorkflow, type TaskInput, type WorkflowDefinition } from './define.ts';
import { parseWorkflow } from './load.ts';
import { planWorkflow } from './plan.ts';

const directory = import.meta.dirname;
const agents = { a: { adapter: 'module', module: './define.ts', concurrency: 2 } } as const;

describe('defineWorkflow', () => {
  test('gives what a file of the same content gives', () => {
    const definition: WorkflowDefinition = {
      name: 'x',
      inputs: { n: { type: 'number', default: 1 } },
      agents,
      tasks: {
        one: { agent: 'a', prompt: '${{ inputs.n }}', timeout: '1s', retry: 2 },
        two: { agent: 'a', needs: ['one'], with: { x: '${{ tasks.one.output }}' } },
      },
    };
    const made = defineWorkflow(definition, { directory });
    const read = parseWorkflow(JSON.stringify(definition, null, 1), { directory });
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
    expect(plain({ ...made, source: '' })).toEqual(plain({ ...read, source: '' }));
    expect(plain(parseWorkflow(made.source, { directory }))).toEqual(plain(made));
  });

  test('copies the definition', () => {
    const tasks: Record<string, TaskInput> = { one: { agent: 'a', with: { list: [1] } } };
    const workflow = defineWorkflow({ name: 'x', agents, tasks }, { directory });
    tasks.two = { agent: 'a' };
    expect(workflow.tasks).toHaveLength(1);
    expect(workflow.source).not.toContain('two');
  });

  test('names the place of each problem by its path', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const tasks = {
      one: { agent: 'b', needs: 'none', group: undefined },
      two: { agent: 'a', with: { when: new Date(0), run: () => 1, n: Number.NaN } },
      three: { agent: 'a', with: JSON.parse('{"__proto__": 1}') },
      four: { agent: 'a', with: circular },
    };
    const definition: unknown = { name: 'x', agents, tasks };
    const define = () => defineWorkflow(definition as WorkflowDefinition, { directory });
    expect(define).toThrow(/^The workflow has 7 problems:/);
    for (const line of [
      'tasks.one.agent: there is no agent "b"',
      'tasks.one.needs: there is no task "none"',
      'tasks.two.with.when: a workflow holds what JSON can say, and this is a Date',
      'tasks.two.with.run: a workflow holds what JSON can say, and this is a function',
      'tasks.two.with.n: a workflow holds what JSON can say, and this is NaN',
      'tasks.three.with.__proto__: the key "__proto__" is refused',
      'or holds itself',
    ]) {
      expect(define).toThrow(line);
    }
  });

  test('looks for no files when told so', () => {
    const missing = { a: { adapter: 'module', module: './none.mjs' } } as const;
    const tasks = { one: { agent: 'a' } };
    expect(() => defineWorkflow({ name: 'x', agents: missing, tasks }, { directory })).toThrow(/does not exist/);
    expect(() => defineWorkflow({ name: 'x', agents: missing, tasks }, { directory, checkFiles: false })).not.toThrow();
  });

  test('takes 100,000 tasks, and their text again', () => {
    const tasks: Record<string, TaskInput> = {};
    for (let index = 0; index < 100_000; index += 1) {
      tasks[`t${index}`] = { agent: 'a', needs: index === 0 ? [] : [`t${index - 1}`], prompt: '${{ inputs.x }}' };
    }
    const definition = { name: 'x', inputs: { x: { default: 'y' } }, agents, tasks };
    const workflow = defineWorkflow(definition, { directory });
    expect(planWorkflow(workflow).tasks[0]?.priority).toBe(100_000);
    expect(parseWorkflow(workflow.source, { directory }).tasks).toHaveLength(100_000);
  });

  test('sees through long chains and wide fans what a task may read', () => {
    const tasks: Record<string, TaskInput> = { first: { agent: 'a' }, apart: { agent: 'a' } };
    for (let index = 0; index < 2000; index += 1) {
      const needs = index === 0 ? 'first' : `t${index - 1}`;
      tasks[`t${index}`] = { agent: 'a', needs, prompt: '${{ tasks.first.output }}' };
    }
    tasks.last = { agent: 'a', needs: 't1999', prompt: '${{ tasks.apart.output }}' };
    expect(() => defineWorkflow({ name: 'x', agents, tasks }, { directory })).toThrow(
      'The workflow has 1 problem:\ntasks.last.prompt: task "last" reads the result of "apart" without needing it; add apart to its needs',
    );
  });
});
