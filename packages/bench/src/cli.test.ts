import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const samples = fileURLToPath(new URL('../test/sample-cases', import.meta.url));
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cadre-bench-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('cadre-bench', () => {
  test('runs, keeps the record, stores a baseline from it, compares with it and reports', () => {
    const run = bench('run', 'sample/turn', '--rounds', '1', '--quick');
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toContain('How long does a turn of the event loop take?');
    const [record = ''] = readdirSync(join(directory, 'results'));
    expect(record).toMatch(/^\d{4}-.*\.json$/);

    const stored = bench('baseline', 'sample', '--from', join(directory, 'results', record), '--force');
    expect(stored).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(join(directory, 'baselines'))).toEqual(['sample.json']);

    const compared = bench('compare', 'sample/turn', '--rounds', '1', '--quick');
    expect(compared.stderr).toBe('');
    expect(compared.stdout).toMatch(/No proven regression|Too noisy/);
    expect([0, 4]).toContain(compared.status);

    const report = bench('report', '--format', 'markdown');
    expect(report).toMatchObject({ status: 0, stderr: '' });
    expect(report.stdout).toContain('| variant | per turn | time, cadre = 1 | peak memory |');
    expect(JSON.parse(bench('report', '--format', 'json').stdout)).toMatchObject({ format: 'cadre-bench/2' });
  });

  test('does not store a noisy record as a baseline', () => {
    const kept = join(directory, 'noisy.json');
    const record = JSON.parse(readFileSync(new URL('../test/records/two-packages.json', import.meta.url), 'utf8'));
    const [{ name, controls }] = record.packages;
    record.environment.busyShare = 0;
    controls.cpu.selfRatio = { estimate: 1.3, low: 1.2, high: 1.4 };
    writeFileSync(kept, JSON.stringify(record));
    const stored = bench('baseline', name, '--from', kept, '--baselines', join(directory, 'none'));
    expect(stored.status).toBe(4);
    expect(stored.stdout).toContain(
      `Too noisy, no baseline was stored: ${name}: The control "cpu" differs from itself`,
    );
    expect(existsSync(join(directory, 'none'))).toBe(false);
  });

  test.for([
    { args: ['run', 'sampel'], says: 'There are: broken/exits' },
    { args: ['measure'], says: 'There is no command "measure"' },
    { args: [], says: 'Usage: cadre-bench' },
    { args: ['run', '--rounds', 'many'], says: '--rounds must be a whole number' },
    { args: ['run', '--fast'], says: "Unknown option '--fast'" },
    { args: ['report', '--format', 'pdf'], says: '--format must be' },
    { args: ['report', 'missing.json'], says: 'There is no record at' },
  ])('answers $args with exit code 2', ({ args, says }) => {
    const answer = bench(...args);
    expect(answer.status).toBe(2);
    expect(answer.stderr).toContain(says);
  });

  test('answers a package without a baseline with exit code 2', () => {
    const answer = bench('compare', 'broken');
    expect(answer.status).toBe(2);
    expect(answer.stdout).toContain('broken has no baseline');
  });

  test('answers a case that cannot be measured with exit code 3', () => {
    const answer = bench('run', 'broken/unequal', '--quick', '--rounds', '1');
    expect(answer.status).toBe(3);
    expect(answer.stdout).toContain('lazy did other work than cadre');
  });

  test('checks each case by plain Node, names those that fail, and answers with exit code 3', () => {
    const sound = bench('check', 'sample');
    expect(sound).toMatchObject({
      status: 0,
      stdout: 'ok       sample/sum\nok       sample/turn\n2 sound, 0 failed\n',
    });
    const answer = bench('check');
    expect(answer.status).toBe(3);
    expect(answer.stdout).toContain('FAILED   broken/unequal: ');
    expect(answer.stdout).toMatch(/FAILED {3}broken\/exits: .*exited with code/);
    expect(answer.stdout).toMatch(/3 sound, 3 failed\n$/);
  });

  test('leaves out what needs something that is missing, unless all is required', () => {
    const needy = ['--cases', fileURLToPath(new URL('../test/needs-cases', import.meta.url))];
    expect(bench('check', ...needy)).toMatchObject({
      status: 0,
      stdout:
        'ok       sample/rival: sample/rival was measured without missing, which needs no-such-library, which is not here.\n' +
        'left out sample/server: sample/server was left out: it needs no-such-server, which is not here.\n' +
        '1 sound, 0 failed, 1 left out\n',
    });
    const strict = bench('check', ...needy, '--require-all');
    expect(strict.status).toBe(3);
    expect(strict.stdout).toMatch(
      /FAILED {3}sample\/server: sample\/server needs no-such-server[\s\S]*0 sound, 2 failed\n$/,
    );
  });

  test('ends its processes, removes their folders and exits with 130 when interrupted', async () => {
    const results = join(directory, 'interrupted');
    const args = ['run', 'sample', '--cases', samples, '--results', results, '--rounds', '500'];
    const running = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
    // Printed when the busy share has been sampled and the first process is about to start.
    await once(running.stdout, 'data');
    running.kill('SIGINT');
    const [exitCode] = await once(running, 'close');
    expect(exitCode).toBe(130);
    expect(existsSync(results) ? readdirSync(results) : []).toEqual([]);
  });

  test('prints help and version', () => {
    expect(bench('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('Exit codes') });
    const { stdout } = spawnSync(process.execPath, [program, 'baseline', '--help'], { encoding: 'utf8', env: {} });
    expect(stdout).toMatch(
      /Usage: cadre-bench baseline \[package\] \[options\]\n[\s\S]*--from FILE {9}store this kept record/,
    );
    expect(bench('--help').stdout).toContain('--results DIR       kept records (benchmarks/results)');
    expect(bench('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

function bench(...[command, ...args]: readonly string[]) {
  const folders = [
    '--cases',
    samples,
    '--results',
    join(directory, 'results'),
    '--baselines',
    join(directory, 'baselines'),
  ];
  // Later ones count: what a test says itself comes last.
  const line = command === undefined || command.startsWith('-') ? args : [command, ...folders, ...args];
  const typed = command?.startsWith('-') ? [command] : line;
  return spawnSync(process.execPath, [program, ...typed], { encoding: 'utf8', env: {} });
}
