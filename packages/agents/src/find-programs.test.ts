import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findAgentPrograms } from './find-programs.ts';

test('findAgentPrograms finds programs on the given PATH and asks them for their version', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'agents-test-'));
  try {
    const scripts = {
      claude: 'echo "2.1.329 (Claude Code)"',
      codex: 'echo codex-cli 0.169.0-alpha.1',
      gemini: 'exit 1',
    };
    for (const [name, line] of Object.entries(scripts)) {
      await writeFile(join(directory, name), `#!/bin/sh\n${line}\n`);
      await chmod(join(directory, name), 0o755);
    }
    await writeFile(join(directory, 'opencode'), 'not a program');
    expect(await findAgentPrograms({ PATH: directory })).toEqual([
      { adapter: 'claude', program: 'claude', path: join(directory, 'claude'), version: '2.1.329' },
      { adapter: 'codex', program: 'codex', path: join(directory, 'codex'), version: '0.169.0-alpha.1' },
      { adapter: 'gemini', program: 'gemini', path: join(directory, 'gemini') },
      { adapter: 'opencode', program: 'opencode', path: undefined },
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
