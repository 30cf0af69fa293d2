/** Input for the cases, the same on every machine: drawn from a seeded generator. */
import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '@cadre/bench';

/** What a journal of an agent holds: short fields, a nested object, and text that makes a line about 1 KB. */
export interface AgentRecord {
  readonly sequence: number;
  readonly type: 'text' | 'toolStarted' | 'toolEnded' | 'result';
  readonly at: string;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
  readonly text: string;
}

/**
 * A file of `count` records as JSON lines, written bit by bit, so that preparing it does not raise the peak memory of
 * the process that is measured. One record in 50 is of type `result`.
 * @param textLength  characters of its `text`; the rest of a line is about 150 bytes
 */
export function writeRecords(path: string, count: number, textLength = 820): void {
  const file = openSync(path, 'w');
  let lines = '';
  for (const record of makeRecords(count, textLength)) {
    lines += `${JSON.stringify(record)}\n`;
    if (lines.length > 32 * 1024) {
      writeSync(file, lines);
      lines = '';
    }
  }
  writeSync(file, lines);
  closeSync(file);
}

/** About `length` characters: words, a newline or a quote in about 1 of 20, a letter beyond ASCII in 1 text of 10. */
function makeText(random: () => number, length: number): string {
  const words = [
    'the',
    'result',
    'of',
    'reading',
    'src/main.ts',
    'names',
    'no',
    'exported',
    'function',
    'task',
    'failed',
  ];
  const beyondAscii = random() < 0.1;
  let text = beyondAscii ? 'über ' : '';
  while (text.length < length) {
    const word = words[Math.floor(random() * words.length)] ?? '';
    const mark = random();
    text += mark < 0.025 ? `${word}\n` : mark < 0.05 ? `"${word}" ` : `${word} `;
  }
  return text.slice(0, length);
}

/** An object whose JSON is about 4 KB: what a task's result looks like. */
export function makeResult(seed: number) {
  const random = seededRandom(seed);
  return {
    id: seed,
    summary: makeText(random, 900),
    findings: Array.from({ length: 20 }, (_, index) => ({
      file: `src/part-${index}/module-${Math.floor(random() * 1000)}.ts`,
      line: Math.floor(random() * 2000),
      score: Math.round(random() * 1000) / 1000,
      message: makeText(random, 70),
    })),
  };
}

/** The folder of this workspace package, from a source file or from the built one. */
export function workspaceFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

function* makeRecords(count: number, textLength: number): Generator<AgentRecord> {
  const random = seededRandom(2);
  const types = ['text', 'toolStarted', 'toolEnded'] as const;
  for (let sequence = 0; sequence < count; sequence += 1) {
    yield {
      sequence,
      type: sequence % 50 === 49 ? 'result' : (types[Math.floor(random() * 3)] ?? 'text'),
      at: new Date(1_760_000_000_000 + sequence * 137).toISOString(),
      usage: { inputTokens: Math.floor(random() * 5000), outputTokens: Math.floor(random() * 900) },
      text: makeText(random, textLength),
    };
  }
}
