/** What a child is given is what was meant, and nothing else; and what can't be started hurts nothing that comes after. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { hasSlots, onLinux, start } from '../test/programs.ts';
import { module, withPool } from '../test/worker-pool-contract.ts';
import { adopt, startDetached } from './detached.ts';
import { createProcessPool } from './process-pool.ts';
import { type SpawnOptions, spawnProcess } from './spawn.ts';
import { openSpawnSlots, type SpawnSlots } from './spawn-slots.ts';

const soaking = process.env.CADRE_SOAK === '1';
const seed = Number(process.env.CADRE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const prompts = soaking ? 5000 : 150;
/** More than this of one argument the kernel refuses: `MAX_ARG_STRLEN`. */
const longestArgument = 128 * 1024 - 1;

let folder: string;
let slots: SpawnSlots | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spawner-'));
  if (hasSlots) slots = await openSpawnSlots();
});
afterAll(async () => {
  await slots?.close();
  rmSync(folder, { recursive: true });
});

type Road = (options: SpawnOptions) => ReturnType<typeof spawnProcess>;
const roads: Readonly<Record<string, Road>> = {
  'a bare start': (options) => spawnProcess(options),
  ...(hasSlots && {
    'a waiting slot': (options: SpawnOptions) => spawnProcess({ ...options, ...(slots && { slots }) }),
  }),
};

/** Prints its second argument, a variable and its input, each ended by a NUL, by shell builtins alone. */
const echo = 'printf "%s\\0" "$2" "$PROMPT"; exec cat';

/** What people and programs have put into prompts: what could be taken for an option, a quote, a line, an end. */
const awkwardParts = ['-', '--', '@', '-n', '--help', '-e', '\n', '\r\n', "'", '"', '`', '$(id)', '$HOME', '\\', '%s'];
const prompt = fc.record({
  text: fc
    .tuple(
      fc.constantFrom('', ...awkwardParts),
      fc.array(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 60 }),
          fc.string({ unit: 'grapheme', maxLength: 40 }),
          fc.constantFrom(
            ...awkwardParts,
            '\u0001\u0002\u001b[0m\u0007\u007f',
            '\u2028',
            '\ufeff',
            '\ufffd',
            ' ',
            '*',
            '&',
          ),
        ),
        { maxLength: 6 },
      ),
    )
    .map((parts) => parts.flat().join('').replaceAll('\0', '')),
  /** How often the text is said; most prompts are short, and some as long as may be. */
  repeated: fc.oneof({ weight: 40, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant('long' as const) }),
});

describe.for(Object.keys(roads))('through %s', (road) => {
  const through: Road = (options) => roads[road]?.(options) ?? spawnProcess(options);

  // A frame that leaves single quotes as they are fails through a slot.
  test(`a child receives what was meant, of ${prompts} prompts`, async () => {
    await fc.assert(
      fc.asyncProperty(prompt, async ({ text, repeated }) => {
        const copies = repeated === 'long' ? Math.ceil(1024 ** 2 / Math.max(1, text.length)) : 1;
        const input = text.repeat(copies);
        const argument = fitting(input);
        const chunks: Uint8Array[] = [];
        const running = await through({
          command: 'sh',
          args: ['-c', echo, 'sh', 'first', argument],
          env: { PROMPT: argument },
          stdin: Buffer.from(`${input}\0`),
          maxOutputBytes: 0,
          onStdout: (chunk) => chunks.push(chunk),
        });
        expect(await running.result).toMatchObject({ exitCode: 0, stderrBytes: 0 });
        const [heard, variable, read] = Buffer.concat(chunks).toString('utf8').split('\0');
        // Compared here, since a difference of a megabyte takes long to print.
        expect({
          heard: heard === meant(argument),
          variable: variable === meant(argument),
          read: read === meant(input),
        }).toEqual({
          heard: true,
          variable: true,
          read: true,
        });
      }),
      { numRuns: prompts, seed },
    );
  });

  test.runIf(onLinux)('none of 30 planted secrets reaches a child that did not ask', async () => {
    const secrets = plantSecrets();
    try {
      const running = await through({ command: 'cat', args: ['/proc/self/environ'] });
      const { stdout } = await running.result;
      expect(stdout).toContain('PATH=');
      expect(secrets.filter(([, value]) => stdout.includes(value))).toEqual([]);
      const [name = '', value = ''] = secrets[0] ?? [];
      const asking = await through({ command: 'cat', args: ['/proc/self/environ'], inheritEnv: ['PATH', name] });
      const seen = (await asking.result).stdout;
      expect(secrets.filter(([, secret]) => seen.includes(secret))).toEqual([[name, value]]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test.runIf(onLinux)('what can not be started is explained, and leaves no descriptor and no doubt', async () => {
    writeFileSync(join(folder, 'plain'), 'no program', { mode: 0o644 });
    writeFileSync(join(folder, 'orphan'), '#!/no/such/interpreter\n', { mode: 0o755 });
    const failures = [
      [{ command: 'absent-program' }, 'SPAWN_PROGRAM_NOT_FOUND', 'searched'],
      [{ command: join(folder, 'plain') }, 'SPAWN_PERMISSION_DENIED', 'chmod +x'],
      [{ command: folder }, 'SPAWN_PERMISSION_DENIED', 'is a directory'],
      [{ command: join(folder, 'orphan') }, 'SPAWN_PROGRAM_NOT_FOUND', '/no/such/interpreter'],
      [{ command: 'true', cwd: join(folder, 'absent') }, 'SPAWN_DIRECTORY_NOT_FOUND', 'does not exist'],
      [{ command: 'true', cwd: join(folder, 'plain') }, 'SPAWN_DIRECTORY_NOT_FOUND', 'is not a directory'],
      [{ command: 'echo', args: ['x'.repeat(longestArgument + 1)] }, 'SPAWN_FAILED', 'stdin'],
      [{ command: 'echo', env: { LONG: 'x'.repeat(longestArgument) } }, 'SPAWN_FAILED', 'stdin'],
    ] as const;
    // Waiting slots hold pipes for the starts to come: the shared ones are all there before descriptors are counted, and those of
    // this test are closed before they are counted again.
    await slots?.ready();
    const base = readdirSync('/proc/self/fd').length;
    const own = road === 'a waiting slot' ? await openSpawnSlots() : undefined;
    const attempt = (options: SpawnOptions) => spawnProcess({ ...options, ...(own && { slots: own }) });
    for (const [options, code, message] of failures) {
      await expect(attempt(options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
      const next = await attempt({ command: 'echo', args: ['next'] });
      expect((await next.result).stdout).toBe('next\n');
    }
    await own?.close();
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(base);
  });
});

test.runIf(onLinux)('none of 30 planted secrets reaches a detached program, or a process of a pool', async () => {
  const secrets = plantSecrets();
  try {
    const directory = join(folder, 'detached');
    await startDetached({ directory, command: 'cat', args: ['/proc/self/environ'] });
    const adopted = await adopt(directory);
    const result = adopted.state === 'running' ? await adopted.running.result : adopted;
    const pooled = await withPool(createProcessPool({ size: 1 }), (pool) =>
      pool.run({ module, exportName: 'place', argument: 0 }),
    );
    for (const seen of [JSON.stringify(result), JSON.stringify(pooled)]) {
      expect(seen).toContain('PATH');
      expect(secrets.filter(([, value]) => seen.includes(value))).toEqual([]);
    }
  } finally {
    vi.unstubAllEnvs();
  }
});

// Without the check beforehand Node forgot six descriptors here, and without the reserve the parent of the slots crashed.
test.runIf(onLinux).for(hasSlots ? ['bare', 'slots', 'pool'] : ['bare', 'pool'])(
  'with few descriptors left, %s either start a program or say so, and leave none behind',
  async (road) => {
    const running = await start('few-descriptors.mjs', [road], { timeoutMs: 25_000, maxOutputBytes: 1_000_000 });
    const { stdout, stderr, exitCode, leftBehind } = await running.result;
    expect({ stderr, exitCode, leftBehind }).toEqual({ stderr: '', exitCode: 0, leftBehind: [] });
    const report = JSON.parse(stdout);
    // Each road met both ends: too few to start, and enough.
    expect(report.refused).toBeGreaterThan(0);
    expect(report.started).toBeGreaterThan(0);
    expect(report).toMatchObject({ surprises: [], strays: [], over: 0 });
  },
);

function meant(text: string): string {
  return Buffer.from(text).toString('utf8');
}

/** As much of it as one argument holds, cut between characters. */
function fitting(text: string): string {
  if (Buffer.byteLength(text) <= longestArgument - 'PROMPT='.length) return text;
  return Buffer.from(text)
    .subarray(0, longestArgument - 'PROMPT='.length - 3)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
}

function plantSecrets(): readonly (readonly [name: string, value: string])[] {
  const names = [
    'AWS_SECRET_ACCESS_KEY',
    'GITHUB_TOKEN',
    'NPM_TOKEN',
    'PATH_TO_KEY',
    'LC',
    'HOME_TOKEN',
    'TERMINAL_KEY',
  ];
  return Array.from({ length: 30 }, (_, index) => {
    const name = names[index] ?? `SECRET_${index}`;
    const value = `planted-${index}-${seed}`;
    vi.stubEnv(name, value);
    return [name, value] as const;
  });
}
