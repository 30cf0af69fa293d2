import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadConfig } from './load.ts';
import type { LoadOptions } from './options.ts';

const schema = z.looseObject({ pin: z.int().meta({ writeOnly: true }).optional() });
let userDirectory: string;

beforeAll(() => {
  userDirectory = mkdtempSync(join(tmpdir(), 'cadre-config-'));
});
afterAll(() => rmSync(userDirectory, { recursive: true }));

function load(options: Partial<LoadOptions<z.ZodType<Record<string, unknown>>>>) {
  const top = userDirectory;
  return loadConfig({ schema, name: 'cadre', cwd: top, topDirectory: top, ...options });
}

describe('explain', () => {
  test.for([
    [{ environment: { ANTHROPIC_BASE_URL: 'hidden' } }, 'environment.ANTHROPIC_BASE_URL'],
    [{ agents: [{ env: { A: 'hidden' } }] }, 'agents[0].env.A'],
    [{ api: { key: 'plain', apiKey: 'hidden' } }, 'api.apiKey'],
    [{ GITHUB_TOKEN: 'hidden' }, 'GITHUB_TOKEN'],
    [{ 'client-secret': 'hidden' }, 'client-secret'],
    [{ database: { passwords: ['hidden', 'hidden'] } }, 'database.passwords[1]'],
    [{ credentials: { user: 'hidden' } }, 'credentials.user'],
    [{ headers: { Authorization: 'hidden' } }, 'headers.Authorization'],
  ] as const)('does not show %j for its name', async ([flags, path]) => {
    const { explain, value } = await load({ flags });
    expect(JSON.stringify(value)).toContain('hidden');
    for (const shown of [explain(), explain(path), explain(path.replace(/[.[].*/, ''))]) {
      expect(`${shown} ${JSON.stringify(shown)}`).not.toContain('hidden');
    }
    expect(explain(path).value).toBe('***');
    expect(String(explain(path))).toContain(`${path} = "***"\n  set by flag`);
    expect(explain(path, { showSecrets: true }).value).toBe('hidden');
  });

  test.for([
    { maxTokens: 4_000 },
    { tokenizer: 'shown' },
    { secretary: 'shown' },
    { monkey: 'shown', keyboard: 'shown' },
    { environments: ['shown'] },
    { environment: { EMPTY: '' } },
    { apiKey: null },
    { useToken: true },
  ])('shows %j', async (flags) => {
    const { explain, value } = await load({ flags });
    expect(explain().value).toEqual(value);
  });

  test('does not show what the schema marks, whatever kind it is', async () => {
    const marked = z.object({
      pin: z.int().meta({ writeOnly: true }),
      phrase: z.string().meta({ format: 'password' }),
      services: z.record(z.string(), z.object({ login: z.string().meta({ writeOnly: true }), url: z.string() })),
      doors: z.array(z.object({ code: z.int().meta({ writeOnly: true }) })),
    });
    const { explain } = await load({
      schema: marked,
      defaults: {
        pin: 4711,
        phrase: 'open sesame',
        services: { mail: { login: 'me', url: 'https://mail' } },
        doors: [{ code: 4712 }],
      },
    });
    expect(explain().value).toEqual({
      pin: '***',
      phrase: '***',
      services: { mail: { login: '***', url: 'https://mail' } },
      doors: [{ code: '***' }],
    });
    expect(explain('pin', { showSecrets: true }).value).toBe(4711);
  });

  test('does not show what the option says, and names the option when it is no path', async () => {
    const { explain } = await load({
      secret: ['accounts.*.number'],
      flags: { accounts: { mine: { number: 4711, name: 'x' } } },
    });
    expect(explain('accounts').value).toEqual({ mine: { number: '***', name: 'x' } });
    await expect(load({ secret: ['a[0]'] })).rejects.toThrow(/`secret` to hold paths/);
  });

  test('shows a secret neither where it was hidden nor where it was refused', async () => {
    writeFileSync(join(userDirectory, 'cadre.config.yaml'), 'environment: { KEY: from the project }\n');
    writeFileSync(join(userDirectory, 'config.yaml'), 'environment: { KEY: from the user }\n');
    const { explain } = await load({
      userDirectory,
      userOnly: ['environment'],
      defaults: { environment: { KEY: 'from the defaults' } },
      flags: { environment: { KEY: 'from a flag' } },
    });
    const { value, hid, refused } = explain('environment.KEY');
    expect([value, ...hid.map((each) => each.value), ...refused.map((each) => each.value)]).toEqual(
      Array(4).fill('***'),
    );
    expect(String(explain())).not.toContain('from the');
    expect(String(explain('', { showSecrets: true })).match(/from the \w+/g)).toEqual([
      'from the user',
      'from the defaults',
      'from the project',
    ]);
  });
});

describe('what is wrong with a secret', () => {
  test.for([
    [{ CADRE_PIN: '47x11' }, { pin: 4711 }],
    [{ CADRE_API_KEY: '47x11' }, { apiKey: 4711 }],
    [{ CADRE_ENVIRONMENT: '{KEY:47x11' }, { environment: {} }],
    [{ CADRE_ACCOUNT: '{pin:47x11' }, { account: { pin: 4711 } }],
  ] as const)('is said of %j without quoting it', async ([environment, defaults]) => {
    const failed = load({ environment, defaults, secret: ['account.pin'] });
    await expect(failed).rejects.toThrow(/must be a .*, got something else/);
    await expect(failed).rejects.not.toThrow(/47x11/);
  });

  test.for([
    ['yaml', 'environment: { KEY: 47x11'],
    ['yaml', 'apiKey: "47x11'],
    ['yaml', 'apiKey: 47x11\n  more: 1'],
    ['yaml', 'apiKey: !!binary 47x11'],
    ['yaml', 'apiKey: @47x11'],
    ['yaml', '- apiKey: 47x11'],
    ['json', '{"apiKey": "47x11'],
    ['json', '{"apiKey": 47x11}'],
    ['jsonc', '{"apiKey": "47x11" "b": 1}'],
    ['toml', 'apiKey = "47x11'],
    ['toml', 'apiKey = 47x11'],
    ['toml', 'apiKey = "47x11" more'],
    ['toml', 'apiKey = "\\q47x11"'],
  ] as const)('in a .%s file that holds %j is said without quoting it', async ([ending, text]) => {
    const file = join(userDirectory, `broken.${ending}`);
    writeFileSync(file, text);
    const failed = load({ projectFile: file });
    await expect(failed).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(failed).rejects.not.toThrow(/47x11/);
  });
});
