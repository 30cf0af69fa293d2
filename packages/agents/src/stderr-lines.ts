/** Stderr cut into lines for a parser that listens there; bounded, since it may be anything. */
import type { AgentEvent } from './event.ts';

export interface StderrLines {
  push(chunk: Uint8Array): readonly AgentEvent[];
  end(): readonly AgentEvent[];
}

const longestLine = 16_384;

export function openStderrLines(read: (line: string) => readonly AgentEvent[]): StderrLines {
  const decoder = new TextDecoder();
  let rest = '';
  return {
    push: (chunk) => {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = (lines.pop() ?? '').slice(0, longestLine);
      return lines.flatMap((line) => [...read(line.slice(0, longestLine))]);
    },
    end: () => (rest === '' ? [] : read(rest)),
  };
}
