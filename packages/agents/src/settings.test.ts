import { describe, expect, test } from 'vitest';
import type { AdapterName } from './definition.ts';
import { agentSchemas } from './schema.ts';
import { settingProblems, unsupportedSetting } from './settings.ts';

describe('unsupportedSetting', () => {
  test.for([
    ['codex', 'maxTurns', 'Codex has no way to limit its turns; set a timeout on the task'],
    ['codex', 'systemPrompt', 'Codex keeps its system prompt; use appendSystemPrompt'],
    ['opencode', 'maxBudgetUsd', 'OpenCode has no way to limit its cost; set a budget on the task or the run'],
    ['gemini', 'mcpServers', 'Gemini CLI takes MCP servers only from its own settings; add them with `gemini mcp add`'],
    [
      'model',
      'environment',
      'a model reads key and address from the environment of the user alone; set environmentPrefix',
    ],
    ['command', 'model', 'a command has no way to choose a model; pass it in its own arguments'],
  ] as const)('says of %s why it can have no %s', ([adapter, key, message]) => {
    expect(unsupportedSetting(adapter, key)).toBe(message);
  });

  test('has a word for each common setting that an adapter does not take, and none for those that it does', () => {
    const common = ['model', 'effort', 'maxTurns', 'maxBudgetUsd', 'permissionMode', 'allowedTools', 'systemPrompt'];
    let refused = 0;
    for (const [adapter, schema] of Object.entries(agentSchemas)) {
      const taken = 'properties' in schema ? Object.keys(schema.properties as object) : [];
      for (const key of [...common, 'mcpServers', 'extraArguments']) {
        const message = unsupportedSetting(adapter, key);
        expect(message === undefined, `${adapter}.${key}`).toBe(taken.includes(key));
        if (message !== undefined) refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(30);
  });

  test('leaves unknown keys and unknown adapters to the schema', () => {
    expect(unsupportedSetting('claude', 'modle')).toBeUndefined();
    expect(unsupportedSetting('constructor', 'model')).toBeUndefined();
  });
});

describe('settingProblems', () => {
  test('names everything that a definition asks in vain', () => {
    const adapter: AdapterName = 'codex';
    const problems = settingProblems({
      adapter,
      maxTurns: 3,
      allowedTools: ['x'],
      effort: 'low',
      reasoningEffort: 'high',
    });
    expect(problems.map(({ key }) => key)).toEqual(['maxTurns', 'allowedTools', 'reasoningEffort']);
  });

  test('finds nothing in what fits, or is no definition', () => {
    expect(settingProblems({ adapter: 'claude', maxTurns: 3, price: { inputUsd: 1, outputUsd: 2 } })).toEqual([]);
    expect(settingProblems({ adapter: 'gemini', price: {} })).toMatchObject([{ key: 'price' }]);
    for (const other of [null, 7, {}, { adapter: 7 }]) expect(settingProblems(other)).toEqual([]);
  });
});
