import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** The bare start: no bound on output, no allow-list, nothing ends what it leaves behind. */
export async function runProgram(command: string, args: readonly string[]) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.resume();
  await once(child, 'close');
  return { exitCode: child.exitCode, stdout };
}

/** The same, with each line of its output given to `visit`, parsed and nothing more. */
export async function runJsonProgram(
  command: string,
  args: readonly string[],
  visit: (value: unknown) => void,
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) visit(JSON.parse(line));
  });
  await once(child, 'close');
}
