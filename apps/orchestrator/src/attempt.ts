/** What an attempt left in its folder, for a person: `prompt.txt`, `input.json`, `stdout.raw` and `stderr.txt`. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentDefinition } from '@cadre/agents';
import { plainLine, plainLines } from './view/plain-text.ts';

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
  const stdout = await read('stdout.raw');
  const isProtocol = !raw && agent !== undefined && agent.adapter !== 'command';
  const input = await read('input.json');
  return {
    prompt: await read('prompt.txt'),
    input: isNothing(input) ? [] : input,
    said: isProtocol ? stdout.flatMap(wordsOf) : stdout,
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

/**
 * What a line of a protocol says in words. The protocols differ, but all put the words of an event under one of a few
 * names, in the event itself or in the message that it carries.
 */
function wordsOf(line: string): readonly string[] {
  if (!line.startsWith('{')) return [line];
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    // Cut off, or no JSON after all: then it is shown as it stands.
    return [line];
  }
  if (!isRecord(event)) return [];
  if (event.type === 'progress') {
    const total = event.total === undefined ? '' : `/${String(event.total)}`;
    return [plainLine(`${String(event.done)}${total} ${typeof event.message === 'string' ? event.message : ''}`)];
  }
  return [event, event.message, event.item].flatMap((part) => textOf(part));
}

function textOf(part: unknown): readonly string[] {
  if (!isRecord(part)) return [];
  const found: string[] = [];
  if (typeof part.text === 'string') found.push(...plainLines(part.text));
  if (typeof part.message === 'string') found.push(...plainLines(part.message));
  if (Array.isArray(part.content)) {
    for (const block of part.content) {
      if (!isRecord(block)) continue;
      if (block.type === 'text' && typeof block.text === 'string') found.push(...plainLines(block.text));
      if (block.type === 'tool_use' && typeof block.name === 'string') found.push(`[${plainLine(block.name)}]`);
    }
  }
  return found;
}

function isNothing(lines: readonly string[]): boolean {
  return /^(null|\{\s*("with":\s*(null|\{\s*\}),?\s*)?("needs":\s*\{\s*\})?\s*\})$/.test(lines.join(' ').trim());
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
