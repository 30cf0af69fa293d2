import { describe, expect, test } from 'vitest';
import type { OpencodeAgentDefinition } from '../definition.ts';
import { opencode } from './opencode.ts';

const context = { pathOf: (name: string) => `/files/${name}`, asks: false };
const task = { prompt: '--help', cwd: '/' };

describe('the opencode plan', () => {
  test('keeps every value a value', () => {
    const definition: OpencodeAgentDefinition = {
      adapter: 'opencode',
      program: ['node', 'opencode.js'],
      model: '--yolo',
      effort: '-x',
      agent: '-y',
      permissionMode: 'auto',
      extraArguments: ['--print-logs'],
    };
    const plan = opencode.plan(definition, { ...task, resumeSessionId: 'ses_1' }, context);
    expect(plan.command).toEqual([
      ...['node', 'opencode.js', 'run', '--format=json', '--model=--yolo', '--variant=-x', '--agent=-y', '--auto'],
      ...['--session=ses_1', '--print-logs'],
    ]);
    expect(plan.stdin).toBe('--help');
    expect(plan.environment).toEqual({ OPENCODE_DISABLE_AUTOUPDATE: '1' });
  });

  test('has what it takes only from a file in a file that it is told of', () => {
    const definition: OpencodeAgentDefinition = {
      adapter: 'opencode',
      disallowedTools: ['bash'],
      mcpServers: {
        notes: { command: ['node', 'notes.js'], environment: { KEY: 'value' } },
        wiki: { url: 'https://wiki.example/mcp', headers: { authorization: 'Bearer x' } },
      },
    };
    expect(opencode.plan(definition, task, context).environment).toMatchObject({
      OPENCODE_CONFIG: '/files/opencode.json',
    });
    expect(JSON.parse(opencode.files(definition, task)['opencode.json'] ?? '')).toEqual({
      mcp: {
        notes: { type: 'local', command: ['node', 'notes.js'], environment: { KEY: 'value' } },
        wiki: { type: 'remote', url: 'https://wiki.example/mcp', headers: { authorization: 'Bearer x' } },
      },
      tools: { bash: false },
    });
  });
});
