import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const samples = fileURLToPath(new URL('../../test/sample-workloads', import.meta.url));
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cadre-workload-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('cadre-bench workload', () => {
  test('lists the workloads where none is named', () => {
    const listed = bench('workload', '--workloads', samples);
    expect(listed).toMatchObject({ status: 0, stderr: '' });
    expect(listed.stdout).toBe('sum     Add numbers.\nthrows  Fail in a probe.\n');
  });

  test('measures one, holds it against its claims, and keeps them for every report', () => {
    const out = join(directory, 'sum.json');
    const run = bench('workload', 'sum', '--workloads', samples, '--quick', '--rounds', '2', '--out', out);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/sum +easy +1,000 s .* met/);
    expect(run.stdout).toMatch(/sum +impossible .* NOT MET/);
    expect(run.stdout).toMatch(/sum +open +— .* none claimed/);
    expect(run.stdout).toContain('sum, impossible: It was missed because of how it was made.');

    const kept = JSON.parse(readFileSync(out, 'utf8'));
    expect(kept.workloads[0].probes).toEqual({ seven: [7, 7] });
    expect(kept.workloads[0].claims[2]).toMatchObject({ what: 'probed | exact', claimed: 7, verdict: 'met' });
    expect(bench('report', out).stdout).toContain('impossible');
    const markdown = bench('report', out, '--format', 'markdown').stdout;
    expect(markdown).toContain('| sum | probed \\| exact | 7× | 7.0000× (7.0000× to 7.0000×) | met |');
    const page = join(directory, 'pages', 'report.html');
    expect(bench('report', out, '--format', 'html', '--out', page)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(page, 'utf8')).toMatch(/cli\.js workload sum|cadre-bench workload sum/);
  });

  test('answers a probe that throws with exit code 3, and a name that is none with 2', () => {
    const failed = bench('workload', 'throws', '--workloads', samples, '--quick', '--rounds', '1');
    expect(failed.status).toBe(3);
    expect(failed.stdout).toContain('The work was not done.');
    const unknown = bench('workload', 'sun', '--workloads', samples);
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toContain('There are: sum, throws.');
  });
});

function bench(...args: readonly string[]) {
  const folders = ['--results', join(directory, 'results'), '--baselines', join(directory, 'baselines')];
  return spawnSync(process.execPath, [program, ...args, ...folders], {
    encoding: 'utf8',
    env: {},
  });
}
