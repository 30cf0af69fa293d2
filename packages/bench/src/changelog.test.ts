import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BenchmarkRecord, readRecord, writeRecord } from './record.ts';
import { withSourceHashes } from './source-hash.ts';

const generator = fileURLToPath(new URL('../dist/changelog.js', import.meta.url));
const changesets = createRequire(new URL('../../../package.json', import.meta.url)).resolve('@changesets/cli/bin.js');
let root: string;
let record: BenchmarkRecord;

beforeAll(async () => {
  record = await readRecord(fileURLToPath(new URL('../test/records/two-packages.json', import.meta.url)));
  root = mkdtempSync(join(tmpdir(), 'cadre-changelog-'));
  const manifest = (name: string, dependencies = {}) => JSON.stringify({ name, version: '1.0.0', dependencies });
  write('package.json', JSON.stringify({ name: 'root', private: true, workspaces: ['packages/*'] }));
  write('package-lock.json', '{}');
  // `agents` is released because `bus` is; `plain` is never measured.
  write('packages/bus/package.json', manifest('@scope/bus'));
  write('packages/agents/package.json', manifest('@scope/agents', { '@scope/bus': '^1.0.0' }));
  write('packages/plain/package.json', manifest('@scope/plain'));
  for (const name of ['bus', 'agents', 'plain'])
    write(`packages/${name}/src/index.js`, `export const name = '${name}';\n`);
  for (const name of ['bus', 'agents']) write(`benchmarks/cases/${name}/question.js`, '');
  const options = { command: 'npm run bench -- baseline' };
  write(
    '.changeset/config.json',
    JSON.stringify({ changelog: [generator, options], baseBranch: 'main', access: 'public' }),
  );
  write(
    '.changeset/plain-and-bus.md',
    '---\n"@scope/plain": minor\n"@scope/bus": major\n---\n\nSends in order.\n\nAnd more.\n',
  );
  write('.changeset/bus-again.md', '---\n"@scope/bus": patch\n---\n\nCloses twice.\n');
  execFileSync('git', ['init', '-q', '-b', 'main'], { cwd: root });
  commit();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the changelog generator, in the real changesets', () => {
  // Seen to fail with a generator that only quotes: the version went through.
  test('refuses a version without baselines of the present sources, and changes no file', async () => {
    await storeBaseline('agents');
    await storeBaseline('bus');
    appendFileSync(join(root, 'packages/bus/src/index.js'), '// changed since\n');
    rmSync(join(root, 'benchmarks/baselines/agents.json'));
    commit();

    const refused = version();
    expect(refused.status).toBe(1);
    expect(refused.output).toContain(
      '@scope/bus changed since its baseline was measured: npm run bench -- baseline bus',
    );
    expect(refused.output).toContain('@scope/agents has no baseline: npm run bench -- baseline agents');
    expect(refused.output).not.toContain('@scope/plain has');
    expect(execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })).toBe('');
  });

  test('quotes the record of each package once, dependents and slower cases included', async () => {
    await storeBaseline('bus');
    await storeBaseline('agents');
    write('packages/bus/src/index.test.js', '// tests are not part of what is measured\n');
    commit();

    expect(version()).toMatchObject({ status: 0 });
    const bus = read('packages/bus/CHANGELOG.md');
    expect(bus).toContain('## 2.0.0');
    expect(bus).toContain('Sends in order.');
    expect(bus).toContain('Closes twice.');
    expect(bus.match(/Measured \(/g)).toHaveLength(1);
    expect(bus).toContain('`bus/publish-one` 12.5 ns per message, eventemitter3 0.98× (0.98–0.98), mitt 2.62×');
    const agents = read('packages/agents/CHANGELOG.md');
    expect(agents).toContain('Updated dependencies');
    expect(agents.match(/Measured \(/g)).toHaveLength(1);
    expect(agents).toContain('`agents/parse-recorded-stream`');
    expect(agents).not.toContain('bus/publish-one');
    expect(read('packages/plain/CHANGELOG.md')).not.toContain('Measured');
  });
});

function version() {
  const { HOME: _, ...environment } = process.env;
  const env = { ...environment, HOME: root };
  const { status, stdout, stderr } = spawnSync(process.execPath, [changesets, 'version'], {
    cwd: root,
    encoding: 'utf8',
    env,
  });
  return { status, output: stdout + stderr };
}

async function storeBaseline(name: string): Promise<void> {
  const packages = record.packages.filter((entry) => entry.name === name);
  const hashed = await withSourceHashes({ ...record, packages }, join(root, 'packages'));
  await writeRecord(join(root, `benchmarks/baselines/${name}.json`), hashed);
}

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function commit(): void {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
  execFileSync('git', ['add', '-A'], { cwd: root });
  execFileSync('git', [...identity, 'commit', '-q', '--allow-empty', '-m', 'state'], { cwd: root });
}
