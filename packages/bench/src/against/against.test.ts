import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareAgainst } from '../commands/compare-against.ts';

const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
let repository: string;

beforeAll(() => {
  repository = mkdtempSync(join(tmpdir(), 'cadre-bench-against-'));
  makeRepository();
});
afterAll(() => rmSync(repository, { recursive: true, force: true }));

describe('compareAgainst', () => {
  test('proves that the second commit is slower than the first, and keeps what it measured', {
    retry: 1,
    timeout: 120_000,
  }, async () => {
    rmSync(join(repository, 'results'), { recursive: true, force: true });
    const compared = await compareBriefly('fast');
    expect(compared.stdout).toContain('building: npm run --if-present build');
    expect(compared.stdout).toMatch(/sample\/count +SLOWER/);
    expect(compared.stdout).toMatch(/sample\/weight\.size +WORSE/);
    expect(compared.stdout).toContain('sample/newer: The build of');
    expect(compared.stdout).toContain('does not provide an export named');
    expect(compared.stdout).toContain('sample/needy: sample/needy was left out: it needs no-such-server');
    expect(compared.stdout).toMatch(/sample\/dropped: Only [0-9a-f]{10} has it/);
    expect(compared.code).toBe(1);
    const [kept] = readdirSync(join(repository, 'results')).filter((name) => name.startsWith('against-'));
    const record = JSON.parse(readFileSync(join(repository, 'results', kept ?? ''), 'utf8'));
    const count = record.rounds.find(({ name }: { readonly name: string }) => name === 'sample/count');
    expect(count.against.time.first).toHaveLength(7);
    expect(readdirSync(join(repository, 'results')).filter((name) => name.startsWith('against-')).length).toBe(1);
  });

  test('proves no regression of the first commit against the second', async () => {
    git('checkout', '--quiet', 'fast');
    build();
    try {
      const compared = await compareBriefly('main', 'sample/count');
      expect(compared.stdout).toMatch(/sample\/count +(faster|too noisy|no proven change)/);
      expect([0, 4]).toContain(compared.code);
    } finally {
      git('checkout', '--quiet', 'main');
      build();
    }
  }, 120_000);
});

describe('cadre-bench compare --against', () => {
  test('takes a commit that was built before, and answers what one round can prove with exit code 4', async () => {
    const again = await compare('sample/count', '--against', 'fast', '--rounds', '1');
    expect(again.stderr).toBe('');
    expect(again.stdout).not.toContain('building');
    // Naive version that fails here: the interval of a single round, which is as narrow as can be.
    expect(again.stdout).toContain('sample/count: 1 round proves nothing; at least 5 are needed.');
    expect(again.code).toBe(4);
  }, 60_000);

  test('says what a build that fails said, and leaves no half of it', async () => {
    const broken = await compare(
      '--against',
      'fast~0',
      '--build',
      'echo the compiler is out of order; exit 3',
      '--results',
      'broken',
    );
    expect(broken.code).toBe(3);
    expect(broken.stderr).toMatch(/building failed: .*exited with 3\.\nthe compiler is out of order/);
    expect(readdirSync(join(repository, 'broken', '.worktrees'))).toEqual([]);
    expect(git('worktree', 'list')).not.toContain('broken');
  }, 60_000);

  test.for([
    { args: ['--against', 'no-such-branch'], says: 'git knows no commit "no-such-branch"' },
    { args: ['--against', '--force'], says: 'argument is ambiguous' },
    { args: ['--build', 'make'], says: '--build goes with --against only' },
  ])('answers $args with exit code 2', async ({ args, says }) => {
    const refused = await compare(...args);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(says);
  });

  test('ends the build and removes its half when interrupted', async () => {
    const args = [
      'compare',
      '--against',
      'fast',
      '--force',
      '--results',
      'interrupted',
      '--build',
      'echo $$ > building; sleep 600',
    ];
    const running = spawn(process.execPath, [program, ...args, ...folders], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    for await (const chunk of running.stdout) if (String(chunk).includes('building:')) break;
    const half = join(repository, 'interrupted', '.worktrees', git('rev-parse', 'fast'), 'building');
    while (!existsSync(half) || readFileSync(half, 'utf8') === '')
      await new Promise((resolve) => setImmediate(resolve));
    const pid = Number(readFileSync(half, 'utf8'));
    running.kill('SIGINT');
    const [code] = await once(running, 'exit');
    expect(code).toBe(130);
    expect(existsSync(dirname(half))).toBe(false);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }, 60_000);
});

const folders = ['--cases', 'bench/dist/cases', '--baselines', 'baselines'];

/** In this process, with batches so short that only what is eight times as slow can be told from noise. */
async function compareBriefly(ref: string, filter?: string) {
  const written: string[] = [];
  const screen = { isTerminal: false, columns: 80, write: (text: string) => void written.push(text) };
  const [casesDirectory, baselinesDirectory, resultsDirectory] = ['bench/dist/cases', 'baselines', 'results'].map(
    (folder) => join(repository, folder),
  ) as [string, string, string];
  // Seven, so that of what is equal not one time in fifty all rounds lean to the same side, however busy the machine is.
  const settings = { rounds: 7, batchMs: 2, warmupMs: 5, measureMs: 10 };
  const places = { casesDirectory, baselinesDirectory, resultsDirectory };
  const options = { ...places, screen, signal: new AbortController().signal, settings, filter };
  const code = await compareAgainst({ ...options, onMissing: 'leaveOut' }, { ref, force: true });
  return { code, stdout: written.join('') };
}

async function compare(...args: readonly string[]) {
  const results = args.includes('--results') ? [] : ['--results', 'results'];
  const force = args.includes('--against') && !args.includes('--force') ? ['--force'] : [];
  const quick = args.includes('--against') ? ['--quick'] : [];
  const line = [program, 'compare', ...args, ...force, ...quick, ...results, ...folders];
  const child = spawn(process.execPath, line, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, ...texts };
}

/**
 * Two commits of a workspace with one package and its cases: `fast`, and `main`, whose package counts eight times as far, has one
 * function more and weighs more. What is measured are the cases of `main`, one of which asks for the new function.
 */
function makeRepository(): void {
  git('init', '--quiet', '--initial-branch', 'main');
  git('config', 'user.email', 'nobody@localhost');
  git('config', 'user.name', 'Nobody');
  write('.gitignore', 'dist/\nnode_modules/\nresults/\nbroken/\ninterrupted/\n');
  write('package.json', JSON.stringify({ private: true, type: 'module', scripts: { build: 'node build.mjs' } }));
  write(
    'build.mjs',
    "import { cpSync, mkdirSync, symlinkSync, existsSync } from 'node:fs';\n" +
      "cpSync('package/src', 'package/dist', { recursive: true });\n" +
      "cpSync('bench/src', 'bench/dist/cases', { recursive: true });\n" +
      "mkdirSync('bench/node_modules', { recursive: true });\n" +
      "if (!existsSync('bench/node_modules/counter')) symlinkSync('../../package', 'bench/node_modules/counter');\n",
  );
  const manifest = { name: 'counter', version: '1.0.0', type: 'module', exports: './dist/index.js', files: ['dist'] };
  write('package/package.json', JSON.stringify(manifest));
  write('bench/package.json', JSON.stringify({ name: 'bench', private: true, type: 'module' }));
  write('package/src/index.js', `${counter('count', 1)}${counter('same', 1)}`);
  write('bench/src/sample/count.js', caseOf('count'));
  write('bench/src/sample/dropped.js', caseOf('same'));
  commit('Count to a thousand');
  git('tag', 'fast');
  const padding = `// ${Array.from({ length: 9000 }, (_, index) => (index * 7919).toString(36)).join('')}\n`;
  write('package/src/index.js', `${counter('count', 8)}${counter('same', 1)}${counter('newer', 1)}${padding}`);
  write('bench/src/sample/newer.js', caseOf('newer'));
  write(
    'bench/src/sample/weight.size.js',
    "export default { kind: 'size', question: 'What does it weigh?', unit: 'package', packageName: 'counter' };\n",
  );
  write(
    'bench/src/sample/needy.js',
    caseOf('same').replace('validate', "needs: [{ name: 'no-such-server', isHere: () => false }],\n  validate"),
  );
  rmSync(join(repository, 'bench/src/sample/dropped.js'));
  commit('Count eight times as far');
  build();
}

function counter(name: string, times: number): string {
  return (
    `export function ${name}() {\n  let hash = 7;\n` +
    `  for (let step = 0; step < ${times * 1000}; step += 1) hash = Math.imul(hash ^ step, 16777619);\n  return hash === 0 ? 1 : 1;\n}\n`
  );
}

function caseOf(name: string): string {
  return (
    `export default {\n  question: 'How long does it take?',\n  unit: 'count',\n` +
    `  validate(result, iterations) {\n    if (result !== iterations) throw new Error(String(result));\n  },\n` +
    `  variants: {\n    async cadre() {\n      const { ${name}: count } = await import('counter');\n` +
    `      if (count === undefined) throw new Error('counter does not provide an export named ${name}');\n` +
    '      return {\n        run(iterations) {\n          let done = 0;\n' +
    '          for (let iteration = 0; iteration < iterations; iteration += 1) done += count();\n' +
    '          return done;\n        },\n      };\n    },\n  },\n};\n'
  );
}

function build(): void {
  rmSync(join(repository, 'bench/dist'), { recursive: true, force: true });
  execFileSync(process.execPath, ['build.mjs'], { cwd: repository });
}

function commit(message: string): void {
  git('add', '--all');
  git('commit', '--quiet', '--message', message);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(repository, path)), { recursive: true });
  writeFileSync(join(repository, path), text);
}

/** With nothing of the user's own settings. */
function git(...args: readonly string[]): string {
  const env = { PATH: process.env.PATH ?? '', HOME: repository, GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', [...args], { cwd: repository, encoding: 'utf8', env }).trim();
}
