/**
 * The shape of a workflow file as JSON Schema: what editors complete and check by, and what `load` itself validates
 * against, so that the two can't differ. Names, cycles and expressions are beyond a schema: see `resolve.ts`.
 */
import { agentSchemas, type FailureReason } from '@cadre/agents';

type Schema = Readonly<Record<string, unknown>>;

/** Task ids, agent names and input names. */
const namePattern = '^[A-Za-z][A-Za-z0-9_-]{0,63}$';
export const durationPattern = '^0*[1-9][0-9]{0,8}(ms|s|m|h)$';
export const sizePattern = '^0*[1-9][0-9]{0,8}(KiB|MiB|GiB)$';

const failureReasons: Readonly<Record<FailureReason, true>> = {
  rateLimit: true,
  overloaded: true,
  authentication: true,
  invalidRequest: true,
  budget: true,
  turns: true,
  permission: true,
  crash: true,
  timeout: true,
  idle: true,
  memory: true,
  cancelled: true,
  noResult: true,
  badOutput: true,
  programNotFound: true,
  failed: true,
};

const name: Schema = { type: 'string', pattern: namePattern };
const description: Schema = { type: 'string', description: 'For people; changes nothing.' };
const duration = (text: string): Schema => ({ type: 'string', pattern: durationPattern, description: text });
const size = (text: string): Schema => ({ type: 'string', pattern: sizePattern, description: text });
const textOrList = (text: string, item: Schema): Schema => ({
  type: ['string', 'array'],
  items: item,
  // Not the item's schema itself: an enum of texts would refuse every list.
  if: { type: 'string' },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: item,
  description: text,
});

const timeout = duration('Longest time of one attempt, such as 30s, 10m or 2h. Default: no limit.');
const cache: Schema = {
  type: 'boolean',
  description: 'Whether an equal result of an earlier run is reused. Default: true.',
};
const concurrency = (text: string): Schema => ({ type: 'integer', minimum: 1, maximum: 10_000, description: text });

const retry: Schema = {
  type: ['integer', 'object'],
  minimum: 1,
  maximum: 100,
  description: 'Tries in all, or when and how often to try again. Default: 3.',
  additionalProperties: false,
  properties: {
    attempts: {
      type: 'integer',
      minimum: 1,
      maximum: 100,
      description: 'Tries in all, the first included. Default: 3.',
    },
    on: textOrList('The failures worth another try. Default: those that the agent itself calls retryable.', {
      type: 'string',
      enum: Object.keys(failureReasons),
    }),
    base: duration('Wait before the second try, doubled before each later one. Default: 1s.'),
    max: duration('Longest wait between two tries. Default: 60s.'),
  },
};

const limits: Schema = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  description: 'What an agent that is a program may take with everything it starts. Default: no limits.',
  properties: {
    memory: size('Resident memory, such as 2GiB; beyond it the agent is ended.'),
    output: size('Written to stdout and stderr together; beyond it the agent is ended.'),
    cpus: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { type: 'integer', minimum: 0, maximum: 8191 },
      description: 'The processors it may use, by number (Linux).',
    },
    containment: textOrList('What ending it reaches, or several in order of preference. Default: tree.', {
      type: 'string',
      enum: ['group', 'tree', 'cgroup', 'pidNamespace', 'strong'],
    }),
  },
};

const input: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    type: { type: 'string', enum: ['string', 'number', 'boolean', 'path'], description: 'Default: string.' },
    description,
    default: {
      type: ['string', 'number', 'boolean'],
      description: 'Used when no value is given; without it a value must be given.',
    },
    choices: {
      type: 'array',
      minItems: 1,
      items: { type: ['string', 'number'] },
      description: 'The only values allowed.',
    },
  },
};

const task: Schema = {
  type: 'object',
  required: ['agent'],
  additionalProperties: false,
  properties: {
    agent: { type: 'string', description: 'Which of the agents does it.' },
    group: { type: 'string', minLength: 1, maxLength: 64, description: 'Heading that the task is shown under.' },
    description,
    needs: textOrList('The tasks that must have succeeded first; expressions can read their outputs.', {
      type: 'string',
    }),
    prompt: { type: 'string', description: 'What the agent is told. May hold expressions. Default: nothing.' },
    with: { type: 'object', description: 'Values handed to the agent as input.with. May hold expressions.' },
    when: {
      type: 'string',
      description: 'One expression, $ and two braces around it; the task is skipped when it gives false.',
    },
    reads: textOrList('Glob patterns of the files that the result depends on; a leading ! excludes.', {
      type: 'string',
      minLength: 1,
    }),
    writes: textOrList('Files that the task writes; put back when its result is reused.', {
      type: 'string',
      minLength: 1,
    }),
    cwd: {
      type: 'string',
      minLength: 1,
      description: "Folder the agent runs in, from the workflow file's. Default: that folder.",
    },
    timeout,
    idleTimeout: duration('Longest silence of the agent. Default: no limit.'),
    limits,
    retry,
    cache,
    output: { type: 'object', description: 'JSON Schema that the output must meet.' },
  },
};

const agentDefinitions = Object.fromEntries(
  Object.entries(agentSchemas).map(([adapter, schema]) => [`${adapter}Agent`, withWorkflowKeys(schema)]),
);

const agent: Schema = {
  type: 'object',
  required: ['adapter'],
  properties: {
    adapter: { type: 'string', enum: Object.keys(agentSchemas), description: 'How to speak to the program.' },
  },
  allOf: Object.keys(agentSchemas).map((adapter) => ({
    if: { type: 'object', required: ['adapter'], properties: { adapter: { const: adapter } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { $ref: `#/definitions/${adapter}Agent` },
  })),
};

/** The published JSON Schema of a workflow file (draft-07, which every editor knows). */
export const workflowSchema: Schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Cadre workflow',
  description: 'Agents and the graph of tasks they do.',
  type: 'object',
  required: ['name', 'agents', 'tasks'],
  additionalProperties: false,
  properties: {
    $schema: { type: 'string', description: 'For editors; changes nothing.' },
    name: { type: 'string', minLength: 1, maxLength: 100, description: 'What runs of this workflow are called.' },
    description,
    inputs: {
      type: 'object',
      propertyNames: name,
      additionalProperties: { $ref: '#/definitions/input' },
      description: 'Values given when a run is started; expressions read them as inputs.<name>.',
    },
    agents: {
      type: 'object',
      minProperties: 1,
      propertyNames: name,
      additionalProperties: { $ref: '#/definitions/agent' },
      description: 'The workers, by the names that tasks use.',
    },
    tasks: {
      type: 'object',
      minProperties: 1,
      propertyNames: name,
      additionalProperties: { $ref: '#/definitions/task' },
      description: 'The tasks, by id.',
    },
    concurrency: concurrency('Most attempts at once in a run. Default: the setting of whoever runs it.'),
    onFailure: {
      type: 'string',
      enum: ['continue', 'stop'],
      description: "When a task fails: go on with tasks that don't need it, or start nothing new. Default: continue.",
    },
    result: { type: 'string', description: 'The task whose output is what the run is for. Default: the last task.' },
    defaults: {
      type: 'object',
      additionalProperties: false,
      properties: { timeout, limits, retry, cache },
      description: 'What holds for every task that says nothing else.',
    },
  },
  definitions: { input, task, agent, ...agentDefinitions },
};

function withWorkflowKeys(schema: object): Schema {
  const { properties, ...rest } = schema as { readonly properties?: Schema };
  return {
    ...rest,
    properties: {
      ...properties,
      description,
      concurrency: concurrency('Most attempts of this agent at once. Default: no limit.'),
    },
  };
}
