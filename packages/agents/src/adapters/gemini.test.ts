import { describe, expect, test } from 'vitest';
import type { GeminiAgentDefinition } from '../definition.ts';
import { gemini } from './gemini.ts';

const context = { pathOf: (name: string) => `/files/${name}`, asks: false };
const task = { prompt: '--help', cwd: '/' };

describe('the gemini plan', () => {
  test('keeps every value a value', () => {
    const definition: GeminiAgentDefinition = {
      adapter: 'gemini',
      program: ['node', 'gemini.js'],
      model: '--yolo',
      permissionMode: 'auto_edit',
      allowedTools: ['read_file', '-x'],
      disallowedTools: ['run_shell_command'],
      addDirectories: ['-y'],
      trustFolder: true,
      extraArguments: ['--debug'],
    };
    const plan = gemini.plan(definition, { ...task, resumeSessionId: 'abc' }, context);
    expect(plan.command).toEqual([
      ...['node', 'gemini.js', '--output-format=stream-json', '--model=--yolo', '--approval-mode=auto_edit'],
      ...['--allowed-tools=read_file', '--allowed-tools=-x', '--policy=/files/gemini-policy.toml'],
      ...['--include-directories=-y', '--skip-trust', '--resume=abc', '--debug'],
    ]);
    expect(plan).toMatchObject({ stdin: '--help', environment: { GEMINI_CLI_NO_RELAUNCH: 'true' } });
  });

  test('asks for the schema in the prompt, having no flag for it', () => {
    const { stdin } = gemini.plan({ adapter: 'gemini' }, { ...task, outputSchema: { type: 'string' } }, context);
    expect(stdin).toContain('--help');
    expect(stdin).toContain('{"type":"string"}');
  });

  test('refuses tools by a policy in a file, and needs no file without', () => {
    const refusing = gemini.files({ adapter: 'gemini', disallowedTools: ['a "b"', 'c'] }, task);
    expect(refusing['gemini-policy.toml']).toBe(
      ['a \\"b\\"', 'c']
        .map((tool) => `[[rule]]\ntoolName = "${tool}"\ndecision = "deny"\npriority = 999\n`)
        .join('\n'),
    );
    expect(gemini.files({ adapter: 'gemini' }, task)).toEqual({});
  });
});
