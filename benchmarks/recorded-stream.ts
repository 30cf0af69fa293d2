/** A long session of Claude Code, made of a recorded short one: what it prints, and what is to be found in it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceFolder } from './data.ts';

/** What the recorded session did between its first line and its last is repeated so often. */
const repeats = 1500;

export interface RecordedStream {
  readonly lines: readonly string[];
  readonly toolCalls: number;
}

interface StreamLine {
  readonly type: string;
  readonly is_error?: boolean;
  readonly message?: { readonly content?: readonly { readonly type: string }[] };
}

export function makeRecordedStream(): RecordedStream {
  const recording = join(workspaceFolder(), '../packages/agents/test/recordings/claude-tool/stdout.jsonl');
  const recorded = readFileSync(recording, 'utf8').trimEnd().split('\n');
  const isResult = (line: string) => (JSON.parse(line) as StreamLine).type === 'result';
  const [first = '', ...middle] = recorded.filter((line) => !isResult(line));
  const repeated = Array.from({ length: repeats }, (_, turn) =>
    // Each turn has ids of its own, as a long session would.
    middle.map((line) =>
      line.replaceAll(/toolu_\w+/g, (id) => `${id}_${turn}`).replaceAll(/msg_\w+/g, (id) => `${id}_${turn}`),
    ),
  ).flat();
  const lines = [first, ...repeated, ...recorded.filter(isResult)];
  return { lines, toolCalls: lines.reduce((sum, line) => sum + countToolCalls(JSON.parse(line)), 0) };
}

/** In one parsed line. */
export function countToolCalls(value: unknown): number {
  const { type, message } = value as StreamLine;
  if (type !== 'assistant') return 0;
  return (message?.content ?? []).filter((part) => part.type === 'tool_use').length;
}

export function isSuccess(value: unknown): boolean {
  const { type, is_error } = value as StreamLine;
  return type === 'result' && is_error === false;
}

/** Returns the path of the file. */
export function writeLines(directory: string, name: string, lines: readonly string[]): string {
  const path = join(directory, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}
