/** The program of a scripted agent: takes its task like a real one, then plays its script. Its first argument is the script. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentScript, ReceivedByScript } from './testing.ts';

const script: AgentScript & { readonly recording?: string } = JSON.parse(process.argv[2] ?? '{}');
if (script.terminate === 'ignore') process.on('SIGTERM', () => undefined);

const stdin = await buffer(process.stdin);
if (script.received !== undefined) note(script.received, stdin.toString());

const recorded = readRecording(script.recording);
const lines = [
  ...(script.lines ?? []).map((line) => (typeof line === 'string' ? line : JSON.stringify(line))),
  ...recorded.lines,
];
for (const [index, line] of lines.entries()) {
  const delayMs = typeof script.delaysMs === 'number' ? script.delaysMs : (script.delaysMs?.[index] ?? 0);
  if (delayMs > 0) await delay(delayMs);
  await print(process.stdout, `${line}\n`);
}
await print(process.stderr, script.stderr ?? recorded.stderr);
if (script.afterwards === 'hang') setInterval(() => undefined, 2 ** 30);
else process.exitCode = script.exitCode ?? recorded.exitCode;

function readRecording(path: string | undefined) {
  if (path === undefined) return { lines: [], stderr: '', exitCode: 0 };
  const isFolder = statSync(path).isDirectory();
  const optional = (name: string) => {
    const file = join(path, name);
    return isFolder && existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const text = readFileSync(isFolder ? join(path, 'stdout.jsonl') : path, 'utf8');
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return { lines, stderr: optional('stderr.txt'), exitCode: Number(optional('exit-code.txt')) };
}

/** Written beside and renamed, so that whoever waits for the file finds all of it. */
function note(path: string, stdinText: string): void {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) environment[name] = value;
  const received: ReceivedByScript = {
    arguments: process.argv.slice(3),
    stdin: stdinText,
    environment,
    cwd: process.cwd(),
    pid: process.pid,
  };
  writeFileSync(`${path}.part`, JSON.stringify(received));
  renameSync(`${path}.part`, path);
}

function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
