/**
 * Runs git in a folder that nobody vouches for: hooks and file-system monitors named by that folder's own
 * configuration are switched off, since they would be programs of a stranger.
 */
import { spawn } from 'node:child_process';

export interface GitAnswer {
  readonly ok: boolean;
  readonly output: string;
  readonly message: string;
}

const SAFE = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.quotePath=false'];

/** Never rejects: git missing, refusing or answering with more than `maxBytes` is an answer that is not ok. */
export function runGit(
  folder: string,
  args: readonly string[],
  options: { readonly maxBytes?: number } = {},
): Promise<GitAnswer> {
  const maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
  return new Promise((resolve) => {
    const child = spawn('git', ['-C', folder, ...SAFE, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) child.kill('SIGKILL');
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (errors.length < 16) errors.push(chunk);
    });
    child.on('error', (error) => resolve({ ok: false, output: '', message: `git did not start: ${error.message}` }));
    child.on('close', (code) => {
      const said = Buffer.concat(errors).toString('utf8').trim().split('\n')[0] ?? '';
      const message = bytes > maxBytes ? `git answered with more than ${maxBytes} bytes` : said;
      resolve({ ok: code === 0 && bytes <= maxBytes, output: Buffer.concat(output).toString('utf8'), message });
    });
  });
}
