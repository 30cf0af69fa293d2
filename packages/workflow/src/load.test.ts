// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of workflow files look like that
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WorkflowError, WorkflowInvalidError } from './errors.ts';
import { loadWorkflow, maxWorkflowBytes, parseWorkflow } from './load.ts';
import { planWorkflow } from './plan.ts';
import type { Problem } from './problems.ts';

const fixtures = fileURLToPath(new URL('../test/fixtures', import.meta.url));
const full = join(fixtures, 'full.yaml');
const agents = 'agents: { a: { adapter: module, module: ./agents/read.mjs } }';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cadre-load-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function problemsOf(text: string, file = '/w/w.yaml'): readonly Problem[] {
  try {
    parseWorkflow(text, { file, directory: fixtures });
  } catch (error) {
    if (error instanceof WorkflowInvalidError) return error.problems;
    throw error;
  }
  return [];
}

function shown(text: string): readonly string[] {
  return problemsOf(text).map(({ line, column, message, suggestion }) => {
    const hint = suggestion === undefined ? '' : ` [${suggestion}]`;
    return `${line}:${column} ${message.replace(/; known here:.*/, '; known here: …')}${hint}`;
  });
}

const lines = (...text: string[]) => text.join('\n');

describe('loadWorkflow', () => {
  test('reads every key of the format', async () => {
    const workflow = await loadWorkflow(full);
    expect(workflow).toMatchObject({
      name: 'full',
      file: full,
      directory: fixtures,
      concurrency: 16,
      onFailure: 'stop',
      result: 'report',
    });
    expect(workflow.agents.reader).toEqual({
      name: 'reader',
      concurrency: 8,
      definition: {
        adapter: 'jsonl',
        command: ['node', join(fixtures, 'agents/read.mjs'), '--quiet', join(fixtures, 'out.json')],
        environment: { LEVEL: '1' },
        inheritEnvironment: ['SSH_AUTH_SOCK'],
      },
    });
    expect(workflow.agents.linter?.definition).toMatchObject({ command: [join(fixtures, 'agents/lint.sh')] });
    expect(workflow.agents.codex?.concurrency).toBe(Infinity);
    const [list, count, review, report] = workflow.tasks;
    expect(list).toMatchObject({ id: 'list-files', timeoutMs: 30_000, cache: true, needs: [], group: 'collect' });
    expect(count).toMatchObject({ timeoutMs: 600_000, cache: false, needs: ['list-files'] });
    expect(count?.retry).toEqual({ attempts: 1, baseMs: 2000, maxMs: 60_000 });
    expect(review?.retry).toEqual({ attempts: 2, on: ['rateLimit', 'overloaded'], baseMs: 500, maxMs: 10_000 });
    expect(review).toMatchObject({ timeoutMs: 3_600_000, idleTimeoutMs: 500 });
    expect(review?.limits).toEqual({
      memoryBytes: 2 ** 31,
      outputBytes: 104_857_600,
      cpus: [0],
      containment: ['strong'],
    });
    expect(report?.limits).toEqual({ memoryBytes: 2 ** 30 });
    expect(report?.retry).toEqual({ attempts: 4, on: ['timeout'], baseMs: 2000, maxMs: 60_000 });
    expect(planWorkflow(workflow).tasks).toHaveLength(4);
  });

  test('evaluates what it read only when asked to', async () => {
    const { tasks } = await loadWorkflow(full);
    const scope = {
      inputs: { root: '/src', depth: 2, mode: 'fast', strict: false },
      tasks: { 'list-files': { status: 'succeeded', output: ['x.ts'] }, count: { status: 'succeeded', output: 1 } },
    };
    expect(tasks[0]?.with.evaluate(scope)).toEqual({ root: '/src', depth: 3, patterns: ['*.ts', 'fast/*'] });
    expect(tasks[1]?.when?.evaluate(scope)).toBe(true);
    expect(tasks[2]?.prompt.evaluate(scope)).toBe('Read these files:\n["x.ts"]\nThere are 1.\n');
    expect(tasks[2]?.prompt.references).toEqual(['tasks.list-files', 'tasks.count']);
    expect(tasks[3]?.prompt.evaluate(scope)).toBe('Report on succeeded');
  });

  test('fills in the defaults', () => {
    const workflow = parseWorkflow(lines('name: x', agents, 'tasks: { one: { agent: a }, two: { agent: a } }'), {
      directory: fixtures,
    });
    expect(workflow).toMatchObject({ onFailure: 'continue', result: 'two', inputs: {} });
    expect(workflow.concurrency).toBeUndefined();
    expect(workflow.file).toBeUndefined();
    expect(workflow.tasks[0]).toMatchObject({
      prompt: { source: '', constant: true },
      with: { source: {}, constant: true },
      timeoutMs: Infinity,
      idleTimeoutMs: Infinity,
      retry: { attempts: 3, baseMs: 1000, maxMs: 60_000 },
      cache: true,
    });
  });

  test('reads JSON, a byte order mark and Windows line ends', async () => {
    const value = { name: 'x', agents: { a: { adapter: 'module', module: full } }, tasks: { one: { agent: 'a' } } };
    for (const text of [JSON.stringify(value), `\uFEFF${JSON.stringify(value, null, 2).replaceAll('\n', '\r\n')}`]) {
      const file = join(folder, 'w.json');
      await writeFile(file, text);
      expect((await loadWorkflow(file)).tasks).toHaveLength(1);
    }
  });

  test('reads the example of the reference', async () => {
    const page = await readFile(new URL('../../../docs/workflow-file.md', import.meta.url), 'utf8');
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
    const workflow = parseWorkflow(example, { directory: fixtures, checkFiles: false });
    expect(workflow.tasks.map(({ id }) => id)).toEqual(['files', 'review', 'report']);
  });

  test('shares what an alias stands for', () => {
    const text = lines(
      'name: x',
      agents,
      'tasks:',
      '  one: { agent: a, with: &w { n: 1 } }',
      '  two: { agent: a, with: *w }',
    );
    expect(parseWorkflow(text, { directory: fixtures }).tasks[1]?.with.source).toEqual({ n: 1 });
  });
});

const inTasks = (...text: string[]) => lines('name: x', agents, 'tasks:', ...text);

describe('the problems of a workflow file', () => {
  test.for<[string, string, readonly string[]]>([
    ['an unknown agent', inTasks('  one: { agent: reader }'), ['4:17 there is no agent "reader"; the agents are a']],
    [
      'an unknown need',
      inTasks('  files: { agent: a }', '  two:', '    agent: a', '    needs: [files, fliles]'),
      ['7:20 there is no task "fliles" [files]'],
    ],
    [
      'a need of itself',
      inTasks('  one: { agent: a, needs: one }'),
      ['4:27 task "one" needs itself; remove this need'],
    ],
    [
      'a need listed twice',
      inTasks('  one: { agent: a }', '  two: { agent: a, needs: [one, one] }'),
      ['5:33 task "one" is needed twice; remove one of the two'],
    ],
    [
      'a circle',
      inTasks(
        '  a: { agent: a, needs: [d, b] }',
        '  b: { agent: a, needs: c }',
        '  c:',
        '    agent: a',
        '    needs: [a]',
        '  d: { agent: a }',
      ),
      ['4:29 tasks need each other in a circle: a → b → c → a'],
    ],
    [
      'two circles, once each',
      inTasks(
        '  a: { agent: a, needs: b }',
        '  b: { agent: a, needs: a }',
        '  c: { agent: a, needs: [d, a] }',
        '  d: { agent: a, needs: c }',
      ),
      ['4:25 tasks need each other in a circle: a → b → a', '6:26 tasks need each other in a circle: c → d → c'],
    ],
    [
      'values of wrong types',
      inTasks('  one:', '    agent: 5', '    needs: { a: b }', '    cache: "yes"', '    with: [1]', '    retry: many'),
      [
        '5:12 agent must be text, not the number 5',
        '6:12 needs must be text or a list, not a map',
        '7:12 cache must be true or false, not "yes"',
        '8:11 with must be a map, not a list',
        '9:12 retry must be a whole number or a map, not "many"',
      ],
    ],
    [
      'durations',
      inTasks(
        '  a: { agent: a, timeout: 10, idleTimeout: 1.5h }',
        '  b: { agent: a, timeout: 10 minutes }',
        '  c: { agent: a, timeout: 0s }',
        '  d: { agent: a, timeout: 501h }',
      ),
      [
        '4:27 timeout must be a duration such as 500ms, 30s, 10m or 2h, not the number 10 [10s]',
        '4:44 idleTimeout must be a duration such as 500ms, 30s, 10m or 2h, not "1.5h" [90m]',
        '5:27 timeout must be a duration such as 500ms, 30s, 10m or 2h, not "10 minutes" [10m]',
        '6:27 timeout must be a duration such as 500ms, 30s, 10m or 2h, not "0s"',
        '7:27 501h is longer than the longest duration, 500h; leave it out for no limit',
      ],
    ],
    [
      'limits',
      lines(
        'name: x',
        'agents:',
        '  a: { adapter: jsonl, command: [node] }',
        '  m: { adapter: model, provider: anthropic, model: claude-x }',
        'tasks:',
        '  a: { agent: a, limits: { memory: 2gb, output: 0MiB, cpus: [0, 0], containment: [tree, strng] } }',
        '  b: { agent: a, limits: {} }',
        '  c: { agent: m, limits: { memory: 1GiB } }',
      ),
      [
        '6:36 limits.memory must be a size such as 512KiB, 100MiB or 2GiB, not "2gb" [2GiB]',
        '6:49 limits.output must be a size such as 512KiB, 100MiB or 2GiB, not "0MiB"',
        '6:61 limits.cpus must NOT have duplicate items (items ## 1 and 0 are identical)',
        '6:89 limits.containment[1] must be one of group, tree, cgroup, pidNamespace, strong, not "strng" [strong]',
        '7:26 limits must not be empty',
        '8:18 task "c" can\'t have limits: a model agent is asked over the network; make it a program to limit it',
      ],
    ],
    [
      'unknown keys',
      lines('name: x', 'taks: {}', agents, 'tasks:', '  a: { agent: a, promt: hi, retries: 3, zzz: 1 }'),
      [
        '2:1 unknown key "taks" [tasks]',
        '5:18 unknown key "promt" in task "a" [prompt]',
        '5:29 unknown key "retries" in task "a" [retry]',
        '5:41 unknown key "zzz" in task "a"; known here: …',
      ],
    ],
    [
      'keys of another adapter, and an unknown adapter',
      lines(
        'name: x',
        'agents:',
        '  a: { adapter: codex, maxTurns: 3 }',
        '  b: { adapter: cladue }',
        '  c: { model: x }',
        'tasks: { a: { agent: a } }',
      ),
      [
        '3:24 agent "a" can\'t have maxTurns: Codex has no way to limit its turns; set a timeout on the task',
        '4:17 adapter must be one of jsonl, command, module, claude, codex, gemini, opencode, model, not "cladue" [claude]',
        '5:3 agent "c" has no "adapter"',
      ],
    ],
    [
      'duplicate ids',
      inTasks('  a: { agent: a }', '  b: { agent: a }', '  a: { agent: a, nope: 1 }'),
      ['6:3 duplicate key "a": it stands on line 4 already; remove one of them'],
    ],
    [
      'a missing key',
      lines('agents: {}', 'tasks:', '  a: {}', '  b:'),
      [
        '1:1 the workflow has no "name"',
        '1:9 agents must not be empty',
        '3:3 task "a" has no "agent"',
        '4:3 task "b" must be a map, not nothing',
      ],
    ],
    [
      'a bad name',
      inTasks('  1st: { agent: a }'),
      ['4:3 the name "1st" must begin with a letter and hold only letters, digits, "_" and "-", 64 at most'],
    ],
    [
      'a result that is no task',
      lines('name: x', agents, 'result: fils', 'tasks: { files: { agent: a } }'),
      ['3:9 there is no task "fils" [files]'],
    ],
    [
      'bad expressions',
      inTasks(
        '  a: { agent: a, prompt: "x ${{ 1 + }} ${{ \\"a }}" }',
        "  b: { agent: a, prompt: '${{ a }}' }",
        '  c: { agent: a, prompt: "x ${{ 1" }',
      ),
      [
        '4:37 expression: Unexpected token: the end',
        '4:44 expression: Unterminated string',
        '5:31 expression: unknown name "a", only inputs and tasks are there',
        '6:29 this "${{" has no "}}"; close it, or write ${{ "${{" }} to mean the characters',
      ],
    ],
    [
      'an expression in a literal block',
      inTasks(
        '  a:',
        '    agent: a',
        '    prompt: |',
        '      One',
        '        two ${{ inputs.x }}',
        '',
        '      ${{ 1 ** 2 }}',
      ),
      ['8:24 there is no input "x"; the workflow has no inputs', '10:14 expression: Unexpected token: "*"'],
    ],
    [
      'an expression in a folded block with an indentation of its own',
      inTasks(
        '  a:',
        '    agent: a',
        '    prompt: >2-',
        '        One',
        '      two',
        '      ${{ inputs.x',
        '      + ) }}',
      ),
      ['10:9 expression: Unexpected token: ")"'],
    ],
    [
      'an expression in text over several lines',
      inTasks(
        '  a:',
        '    agent: a',
        '    prompt: "One \\',
        '      two\\n\\u0041 \\',
        '',
        "      it''s ${{ inputs.x }}\"",
        "    cwd: 'it''s",
        "      ${{ inputs.y }}'",
      ),
      [
        '9:24 there is no input "x"; the workflow has no inputs',
        '11:18 there is no input "y"; the workflow has no inputs',
      ],
    ],
    [
      'places that decide where files go, when an agent would decide them',
      lines(
        'name: x',
        agents,
        'tasks:',
        '  a: { agent: a }',
        '  b: { agent: a, needs: a, cwd: "${{ tasks.a.output }}", writes: ["${{ tasks.a.output.path }}"] }',
      ),
      [
        "5:44 cwd can't depend on what an agent said; only inputs can be read here",
        "5:78 writes can't depend on what an agent said; only inputs can be read here",
      ],
    ],
    [
      'expressions that read what is not there',
      lines(
        'name: x',
        'inputs: { root: {} }',
        agents,
        'tasks:',
        '  a: { agent: a }',
        '  b: { agent: a, needs: a }',
        '  c: { agent: a, needs: b, prompt: "${{ inputs.rot }} ${{ tasks.a.output }} ${{ tasks.d }}" }',
        '  d: { agent: a, prompt: "${{ tasks.e }} ${{ tasks.d }} ${{ tasks[inputs.root] }} ${{ size(tasks) }}" }',
      ),
      [
        '7:48 there is no input "rot" [root]',
        '7:87 task "c" reads the result of "d" without needing it; add d to its needs',
        '8:37 there is no task "e"',
        '8:52 task "d" can\'t read its own result',
        '8:61 tasks must be followed by the id of a task, as in tasks.files or tasks["my-files"]',
        '8:92 tasks must be followed by the id of a task, as in tasks.files or tasks["my-files"]',
      ],
    ],
    [
      'conditions that are none',
      inTasks(
        '  a: { agent: a, when: inputs.x }',
        '  b: { agent: a, when: "${{ 1 + 1 }}" }',
        '  c: { agent: a, when: "x ${{ true }}" }',
        '  d: { agent: a, when: true }',
      ),
      [
        '4:24 when must be one expression in ${{ }}, not "inputs.x" [${{ inputs.x }}]',
        '5:29 when must give true or false, and this gives a whole number',
        '6:24 when must be one expression in ${{ }}, not "x ${{ true }}"',
        '7:24 when must be text, not the boolean true',
      ],
    ],
    [
      'expressions where none is evaluated',
      lines(
        'name: x',
        'agents:',
        '  a: { adapter: command, command: [echo, "${{ inputs.x }}"] }',
        'tasks: { a: { agent: a, with: { "${{ 1 }}": 2 } } }',
      ),
      [
        "3:43 expressions are not evaluated in agents; pass values in a task's prompt or with",
        '4:33 expressions are evaluated in values, not in keys',
      ],
    ],
    [
      'faulty JSON Schemas',
      inTasks(
        '  a: { agent: a, output: { type: objekt } }',
        '  b: { agent: a, output: { properties: { x: { tpye: text } } } }',
        '  c: { agent: a, output: { $ref: "#/$defs/x" } }',
      ),
      [
        '4:34 no valid JSON Schema: must be equal to one of the allowed values: array, boolean, integer, null, number, object, string',
        '5:47 no valid JSON Schema: unknown keyword "tpye" [type]',
        "6:26 no valid JSON Schema: can't resolve reference #/$defs/x from id #",
      ],
    ],
    [
      'missing programs and modules',
      lines(
        'name: x',
        'agents:',
        '  a: { adapter: jsonl, command: [node, ./agents/raed.mjs] }',
        '  b: { adapter: module, module: agents/read.mjs }',
        '  c: { adapter: command, command: [./agents] }',
        'tasks: { a: { agent: a } }',
      ),
      [
        `3:40 ${fixtures}/agents/raed.mjs does not exist [${fixtures}/agents/read.mjs]`,
        '4:33 "agents/read.mjs" is no path; a module begins with ./, ../ or / [./agents/read.mjs]',
        `5:36 ${fixtures}/agents is a folder`,
      ],
    ],
    [
      'inputs that contradict themselves',
      lines(
        'name: x',
        'inputs:',
        '  n: { type: number, default: three }',
        '  c: { choices: [a, b], default: c }',
        '  t: { type: nubmer }',
        '  m: { type: number, choices: [1, x] }',
        agents,
        'tasks: { a: { agent: a } }',
      ),
      [
        '3:31 the default must be a number, not "three"',
        '4:34 the default must be one of a, b, not "c"',
        '5:14 type must be one of string, number, boolean, path, not "nubmer" [number]',
        '6:35 this choice must be a number, not "x"',
      ],
    ],
    [
      'waits that shrink',
      inTasks('  a: { agent: a, retry: { base: 2m, max: 1m } }'),
      ['4:42 the longest wait (max, 60000 ms) is shorter than the first (base, 120000 ms)'],
    ],
    [
      'merge keys',
      inTasks('  a: &a { agent: a }', '  b: { <<: *a }'),
      [
        '5:3 task "b" has no "agent"',
        '5:8 the merge key "<<" is not supported; write the keys out, or use an alias as a whole value',
      ],
    ],
    [
      'keys that reach prototypes',
      inTasks('  a: { agent: a, with: { __proto__: { x: 1 } } }'),
      ['4:26 the key "__proto__" is refused; use another name'],
    ],
    [
      'what is no JSON',
      inTasks('  a: { agent: a, with: { x: .inf, y: !date 1, ? [1] : 2 } }'),
      [
        '4:29 .inf is no number that JSON can say',
        '4:38 Unresolved tag: !date; tags have no meaning in a workflow',
        '4:49 a key must be plain text',
      ],
    ],
    [
      'aliases of nothing',
      inTasks('  a: { agent: a, with: { x: *y, z: &z [*z] } }'),
      ['4:29 the alias *y has no anchor &y before it', '4:40 the alias *z stands inside what it refers to'],
    ],
    ['an empty file', '', ['1:1 the file is empty; a workflow is a map with name, agents and tasks']],
    ['a file of comments', '# nothing\n', ['1:1 the file is empty; a workflow is a map with name, agents and tasks']],
    ['a list', '- name: x', ['1:1 the file holds a list; a workflow is a map with name, agents and tasks']],
    ['one value', 'hello', ['1:1 the file holds one value; a workflow is a map with name, agents and tasks']],
    [
      'a second document',
      lines(inTasks('  a: { agent: a }'), '---', 'name: y'),
      ['5:1 the file holds a second document (after "---"); a workflow is one document, remove the other'],
    ],
    ['NUL characters', 'name: x\nagents\0: {}', ['2:7 a NUL character stands here: the file is damaged or no text']],
    [
      'bad YAML, and what stands before it',
      inTasks('  a: { agent: a, promt: x }', '  b: { agent: nobody', '  c: { agent: a }'),
      [
        '4:18 unknown key "promt" in task "a" [prompt]',
        '6:3 YAML: Flow map in block collection must be sufficiently indented and end with a }',
      ],
    ],
  ])('%s', ([, text, expected]) => {
    expect(shown(text)).toEqual(expected);
  });

  test('stand in JSON at the right place too', () => {
    const text = JSON.stringify(
      { name: 'x', agents: { a: { adapter: 'module', module: full } }, tasks: { one: { agent: 'b', needs: ['two'] } } },
      null,
      2,
    );
    expect(shown(text)).toEqual(['11:16 there is no agent "b"; the agents are a', '13:9 there is no task "two"']);
  });

  test('name their path and the line, and print with a caret', () => {
    const text = inTasks('  one: { agent: a, needs: [none] }');
    const [problem] = problemsOf(text, '/w/my.yaml');
    expect(problem).toMatchObject({ path: 'tasks.one.needs[0]', file: '/w/my.yaml', line: 4, column: 28 });
    expect(() => parseWorkflow(text, { file: '/w/my.yaml', directory: fixtures })).toThrow(
      lines(
        '/w/my.yaml has 1 problem:',
        '/w/my.yaml:4:28: there is no task "none" (Did you mean "one"?)',
        '  4 |   one: { agent: a, needs: [none] }',
        `${' '.repeat(6 + 27)}^`,
      ),
    );
  });

  test('are at most 1,000', () => {
    const tasks = Array.from({ length: 3000 }, (_, index) => `  t${index}: { agent: nobody }`);
    expect(problemsOf(inTasks(...tasks))).toHaveLength(1000);
  });
});

describe('files that are no workflow', () => {
  const failure = (path: string) =>
    loadWorkflow(path).then(
      () => undefined,
      (error: unknown) => error,
    );

  test('a missing file is refused with the name that was probably meant', async () => {
    const file = join(folder, 'review.yaml');
    await writeFile(file, 'name: x');
    expect(await failure(join(folder, 'reveiw.yaml'))).toMatchObject({
      code: 'WORKFLOW_NOT_FOUND',
      message: `${join(folder, 'reveiw.yaml')} does not exist. Did you mean ${file}?`,
    });
    expect(await failure(join(folder, 'none', 'w.yaml'))).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
    expect(await failure(join(file, 'w.yaml'))).toMatchObject({ code: 'WORKFLOW_NOT_FOUND' });
  });

  test('a folder is refused with the workflow in it', async () => {
    expect(await failure(fixtures)).toMatchObject({
      code: 'WORKFLOW_UNREADABLE',
      message: `${fixtures} is a folder. Did you mean ${full}?`,
    });
  });

  test('a named pipe is refused without waiting for its writer', async () => {
    const pipe = join(folder, 'pipe.yaml');
    execFileSync('mkfifo', [pipe]);
    expect(await failure(pipe)).toMatchObject({ code: 'WORKFLOW_UNREADABLE' });
  });

  test('10 MB are refused by their size, and one byte over the limit too', async () => {
    const file = join(folder, 'large.yaml');
    await writeFile(file, Buffer.alloc(10_000_000, '#'));
    expect(await failure(file)).toMatchObject({ code: 'WORKFLOW_TOO_LARGE' });
    await writeFile(file, Buffer.alloc(maxWorkflowBytes + 1, '#'));
    expect(await failure(file)).toMatchObject({ code: 'WORKFLOW_TOO_LARGE' });
    await writeFile(file, Buffer.alloc(maxWorkflowBytes, '#'));
    expect(await failure(file)).toMatchObject({ code: 'WORKFLOW_INVALID' });
  });

  test('bytes that are no UTF-8 are refused with their place', async () => {
    const file = join(folder, 'latin1.yaml');
    await writeFile(file, Buffer.from('name: x\ndescription: caf\xe9\n', 'latin1'));
    expect(await failure(file)).toMatchObject({ code: 'WORKFLOW_INVALID', problems: [{ line: 2, column: 17 }] });
  });

  // With the library's Parser and Composer alone the nested brackets ended the whole process: V8 gives up when a regular
  // expression is compiled at the end of the stack, which no `catch` sees.
  test('what would grow or recurse without bound is refused', () => {
    const names = 'abcdefghijklmnop';
    const bomb = [...names].map((name, index) =>
      index === 0
        ? 'a: &a [x, x]'
        : `${name}: &${name} [${Array(20)
            .fill(`*${names[index - 1]}`)
            .join(', ')}]`,
    );
    expect(problemsOf(bomb.join('\n'))[0]?.message).toMatch(/stand for more than 100000 values/);
    const chain = Array.from({ length: 5000 }, (_, at) => (at === 0 ? 'a0: &a0 [1]' : `a${at}: &a${at} [*a${at - 1}]`));
    expect(problemsOf(chain.join('\n')).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/100 levels/),
    );
    const open = ['[', '{a: ', '- ', '? '].map((text) => text.repeat(200_000));
    for (const deep of [...open, '['.repeat(500_000) + ']'.repeat(500_000)]) {
      expect(problemsOf(deep)[0]?.message).toMatch(/nested more than 100 levels/);
    }
    expect(problemsOf(']'.repeat(1_000_000))[0]?.message).toMatch(/is no YAML/);
  });

  test('any damage to a good file gives a workflow or a WorkflowError', async () => {
    const source = (await loadWorkflow(full)).source;
    const piece = fc.constantFrom(
      ...[
        '',
        ' ',
        '\n',
        '\t',
        ':',
        '- ',
        '[',
        ']',
        '{',
        '}',
        '"',
        "'",
        '|',
        '>',
        '&a ',
        '*a',
        '!!x ',
        '#',
        '${{',
        '}}',
        '%',
        '@',
        '---\n',
        '\\',
        '\r',
        '\0',
        '\uFEFF',
        '\u2028',
        '😀',
        '? ',
        '<<: ',
        '__proto__: 1',
      ],
    );
    const edit = fc.record({
      at: fc.nat(source.length),
      remove: fc.nat(20),
      insert: fc.array(piece, { maxLength: 4 }),
    });
    let refused = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        const text = edits.reduce(
          (before, { at, remove, insert }) => before.slice(0, at) + insert.join('') + before.slice(at + remove),
          source,
        );
        try {
          parseWorkflow(text, { file: full, directory: fixtures });
        } catch (error) {
          if (!(error instanceof WorkflowError)) throw error;
          refused += 1;
          for (const { line, column } of error instanceof WorkflowInvalidError ? error.problems : []) {
            const found = text.replace(/^\uFEFF/, '').split('\n')[line - 1];
            if (found === undefined || column < 1 || column > found.length + 1) throw new Error(`${line}:${column}`);
          }
        }
      }),
      { numRuns: 400 },
    );
    expect(refused).toBeGreaterThan(200);
  });
});
