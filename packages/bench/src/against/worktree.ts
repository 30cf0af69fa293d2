/**
 * Another commit, checked out and built in a folder of its own. It is kept by its commit: a second comparison with the
 * same one starts at once. What was interrupted in the middle of the build is thrown away and built again.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { BenchError } from '../errors.ts';

export interface WorktreeOptions {
  readonly repository: string;
  /** In full. */
  readonly commit: string;
  /** Where the worktrees are kept, each in a folder named by its commit. */
  readonly directory: string;
  /** Instead of what follows from the lock file. */
  readonly installCommand?: string | undefined;
  /** Instead of `npm run build`, where there is such a script. */
  readonly buildCommand?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: (step: string) => void;
  /** Of installing, and of building. @default 600000 */
  readonly timeoutMs?: number;
}

export interface Worktree {
  readonly commit: string;
  readonly folder: string;
}

/** @throws {BenchError} BENCH_BUILD_FAILED with the end of what the command said */
export async function openWorktree(options: WorktreeOptions): Promise<Worktree> {
  const { repository, directory, commit, signal, onStep } = options;
  const folder = join(directory, commit);
  const finished = join(directory, `${commit}.built`);
  if (existsSync(finished) && existsSync(folder)) return { commit, folder };
  await removeWorktree(repository, folder);
  await rm(finished, { force: true });
  await mkdir(directory, { recursive: true });
  try {
    onStep?.(`checking out ${commit.slice(0, 10)}`);
    await git(repository, ['worktree', 'add', '--detach', '--force', folder, commit]);
    const install = options.installCommand ?? findInstallCommand(folder);
    if (install !== undefined) await runStep(install, 'installing', folder, options);
    await runStep(options.buildCommand ?? 'npm run --if-present build', 'building', folder, options);
    await writeFile(`${finished}.tmp`, `${new Date().toISOString()}\n`);
    await rename(`${finished}.tmp`, finished);
    return { commit, folder };
  } catch (error) {
    await removeWorktree(repository, folder);
    signal?.throwIfAborted();
    throw error;
  }
}

/** The root of the repository that a folder is in. */
export async function findRepository(folder: string): Promise<string> {
  return git(folder, ['rev-parse', '--show-toplevel']);
}

/**
 * From any name git knows a commit by.
 * @throws {RangeError} when it knows none
 */
export async function resolveCommit(repository: string, ref: string): Promise<string> {
  try {
    return await git(repository, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]);
  } catch (cause) {
    throw new RangeError(`--against: git knows no commit "${ref}" in ${repository}.`, { cause });
  }
}

/** The folder, and what git knows of it. */
async function removeWorktree(repository: string, folder: string): Promise<void> {
  if (existsSync(folder)) {
    await git(repository, ['worktree', 'remove', '--force', '--force', folder]).catch(() =>
      rm(folder, { recursive: true, force: true, maxRetries: 3 }),
    );
  }
  await git(repository, ['worktree', 'prune']);
}

/** From the lock file of that commit, from the package manager's own cache as far as it reaches. */
function findInstallCommand(folder: string): string | undefined {
  if (existsSync(join(folder, 'pnpm-lock.yaml'))) return 'pnpm install --frozen-lockfile --prefer-offline';
  if (existsSync(join(folder, 'package-lock.json'))) return 'npm ci --prefer-offline --no-audit --no-fund';
  return undefined;
}

async function runStep(command: string, step: string, folder: string, options: WorktreeOptions): Promise<void> {
  const { signal, onStep, repository, timeoutMs = 600_000 } = options;
  signal?.throwIfAborted();
  onStep?.(`${step}: ${command}`);
  // The package manager may be a dependency of the repository itself.
  const path = [join(folder, 'node_modules/.bin'), join(repository, 'node_modules/.bin'), process.env.PATH ?? ''];
  const child = spawn(command, {
    cwd: folder,
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    env: { ...process.env, PATH: path.join(delimiter), CI: '1', TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-4096);
    });
  }
  const end = () => {
    if (child.pid === undefined || child.exitCode !== null) return;
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  };
  const timer = setTimeout(end, timeoutMs);
  signal?.addEventListener('abort', end, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signalName) => {
        if (code === 0) return resolve();
        const how = code === null ? `was ended by ${signalName}` : `exited with ${code}`;
        reject(
          new BenchError('BENCH_BUILD_FAILED', `${step} failed: \`${command}\` in ${folder} ${how}.\n${said.trim()}`),
        );
      });
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

async function git(folder: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', [...args], { cwd: folder, maxBuffer: 64 * 2 ** 20 });
  return stdout.trim();
}
