/** What an attempt left in its folder, for a person: `prompt.txt`, `input.json`, `stdout.raw` and `stderr.txt`. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentDefinition, readAttemptEvents } from '@cadre/agents';
import { saidIn } from './view/agent-words.ts';
import { plainLines } from './view/plain-text.ts';

export interface AttemptText {
  readonly prompt: readonly string[];
  readonly input: readonly string[];
  /** What the agent said; of programs that speak a protocol the words in it. */
  readonly said: readonly string[];
  readonly stderr: readonly string[];
}

/** Read of each file, from its end. */
const mostBytes = 256 * 1024;

/** @param raw  everything that was printed, protocol and all */
export async function readAttempt(
  directory: string,
  agent: AgentDefinition | undefined,
  raw: boolean,
): Promise<AttemptText> {
  const read = async (name: string) => plainLines(await readTail(join(directory, name), raw ? Infinity : mostBytes));
  const isProtocol = !raw && agent !== undefined && agent.adapter !== 'command';
  const input = await read('input.json');
  return {
    prompt: await read('prompt.txt'),
    input: isNothing(input) ? [] : input,
    said: isProtocol ? await saidIn(readAttemptEvents(agent, directory), agent) : await read('stdout.raw'),
    stderr: await read('stderr.txt'),
  };
}

/** The end of a file; nothing of one that is not there, since a thread has no output of its own. */
async function readTail(path: string, bytes: number): Promise<string> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return '';
    throw error;
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    const text = buffer.toString('utf8', 0, bytesRead);
    // The line that the cut goes through says nothing.
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    await file.close();
  }
}

function isNothing(lines: readonly string[]): boolean {
  return /^(null|\{\s*("with":\s*(null|\{\s*\}),?\s*)?("needs":\s*\{\s*\})?\s*\})$/.test(lines.join(' ').trim());
}
