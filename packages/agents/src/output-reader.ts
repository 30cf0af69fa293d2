/**
 * The bytes of an agent's stdout to what its parser takes: JSON values line by line, or pieces of text.
 *
 * Programs print stray words between their lines, so a line that does not begin with `{` is passed over. One that does and
 * can't be read is damage: it is reported, and everything around it still counts. The last line may lack its newline: a
 * JSON object that was cut short is never a whole one, so what parses is whole.
 */
import { type InvalidLine, JsonlDecoder } from '@cadre/jsonl';
import type { Parser } from './adapter.ts';
import type { AgentEvent } from './event.ts';
import { isFields } from './fields.ts';
import { failure, type Outcome } from './outcome.ts';

export interface OutputReader {
  push(chunk: Uint8Array): readonly AgentEvent[];
  /** The last events, with one warning that counts what was passed over. */
  end(): readonly AgentEvent[];
  /** Set once something was larger than `maxOutputBytes`: a sentence that says what. */
  readonly oversized: string | undefined;
}

/** @param maxOutputBytes the longest line, or the longest text altogether */
export function openOutputReader(parser: Parser, format: 'jsonl' | 'text', maxOutputBytes: number): OutputReader {
  return format === 'jsonl' ? new LineReader(parser, maxOutputBytes) : new TextReader(parser, maxOutputBytes);
}

/** What it means that an agent was ended for the size of its output: nothing where it had given its result. */
export function unlessOversized(outcome: Outcome, parser: Parser, reader: OutputReader): Outcome {
  if (reader.oversized === undefined || parser.state === 'finished') return outcome;
  const message = `The agent was ended because ${reader.oversized}; print less, write a file, or raise maxOutputBytes.`;
  return { ...outcome, status: 'failed', ...failure('badOutput', message, { retryable: false }) };
}

class LineReader implements OutputReader {
  oversized: string | undefined;
  readonly #parser: Parser;
  readonly #decoder: JsonlDecoder;
  readonly #maxOutputBytes: number;
  /** Of the line that is under way: one that never ends would else go unnoticed. */
  #openBytes = 0;
  #strayLines = 0;
  #firstStray = '';
  #damage: AgentEvent[] = [];

  constructor(parser: Parser, maxOutputBytes: number) {
    this.#parser = parser;
    this.#maxOutputBytes = maxOutputBytes;
    this.#decoder = new JsonlDecoder({
      maxLineBytes: maxOutputBytes,
      unterminatedTail: 'accept',
      onInvalid: (line) => this.#invalid(line),
    });
  }

  push(chunk: Uint8Array): readonly AgentEvent[] {
    const events = this.#read(this.#decoder.push(chunk));
    const newline = chunk.lastIndexOf(0x0a);
    this.#openBytes = newline === -1 ? this.#openBytes + chunk.length : chunk.length - newline - 1;
    if (this.#openBytes > this.#maxOutputBytes) this.#tooLong('a line');
    return events;
  }

  end(): readonly AgentEvent[] {
    const events = [...this.#read(this.#decoder.end())];
    if (this.#strayLines > 0) {
      const message = `${this.#strayLines} line(s) on stdout were no JSON objects and were ignored; the first: ${this.#firstStray}`;
      events.push({ type: 'warning', message });
    }
    return events;
  }

  #read(values: readonly unknown[]): readonly AgentEvent[] {
    const events: AgentEvent[] = [];
    for (const value of values) {
      if (isFields(value)) events.push(...this.#parser.read(value));
      else this.#stray(JSON.stringify(value));
    }
    if (this.#damage.length > 0) {
      events.push(...this.#damage);
      this.#damage = [];
    }
    return events;
  }

  #invalid(line: InvalidLine): void {
    if (line.reason === 'too-long') this.#tooLong(`line ${line.lineNumber}`);
    if (line.preview.trimStart().startsWith('{')) {
      this.#damage.push({ type: 'warning', message: `A line of the agent's output can't be read. ${line.message}` });
    } else {
      this.#stray(line.preview);
    }
  }

  #tooLong(line: string): void {
    this.oversized ??= `${line} of its output is longer than maxOutputBytes (${this.#maxOutputBytes})`;
  }

  #stray(preview: string): void {
    if (this.#strayLines === 0) this.#firstStray = preview.slice(0, 200);
    this.#strayLines += 1;
  }
}

class TextReader implements OutputReader {
  oversized: string | undefined;
  readonly #parser: Parser;
  readonly #decoder = new TextDecoder();
  readonly #maxOutputBytes: number;
  #bytes = 0;

  constructor(parser: Parser, maxOutputBytes: number) {
    this.#parser = parser;
    this.#maxOutputBytes = maxOutputBytes;
  }

  push(chunk: Uint8Array): readonly AgentEvent[] {
    if (this.oversized !== undefined) return [];
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#maxOutputBytes) {
      this.oversized = `its output is longer than maxOutputBytes (${this.#maxOutputBytes})`;
      return [];
    }
    return this.#parser.read(this.#decoder.decode(chunk, { stream: true }));
  }

  end(): readonly AgentEvent[] {
    return this.#parser.read(this.#decoder.decode());
  }
}
