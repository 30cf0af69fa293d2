/** The contract between the `model` adapter, which sends, retries and counts, and a provider, which knows its API. */
import type { Fields } from '../fields.ts';
import type { TokenUsage } from '../usage.ts';

export interface ModelMessage {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

export interface ModelQuestion {
  readonly model: string;
  readonly messages: readonly ModelMessage[];
  readonly system: string | undefined;
  readonly effort: 'low' | 'medium' | 'high' | undefined;
  readonly maxOutputTokens: number;
  readonly schema: object | undefined;
}

export interface Provider {
  readonly prefix: string;
  readonly baseUrl: string;
  /** Below the base URL. */
  path(question: ModelQuestion): string;
  headers(key: string): Readonly<Record<string, string>>;
  body(question: ModelQuestion): object;
  /** Takes one event of the stream; what it tells beyond the pieces it notes in `answer`. */
  read(event: Fields, answer: ModelAnswer): readonly Piece[];
}

export interface Piece {
  /** `value`: a part of the JSON of a structured answer. */
  readonly type: 'text' | 'thinking' | 'value';
  readonly text: string;
}

/** What is known of an answer so far. */
export interface ModelAnswer {
  id: string | undefined;
  model: string | undefined;
  usage: TokenUsage | undefined;
  /** Why it ended, once it has: `length` is no whole answer. */
  finish: 'stop' | 'length' | 'refused' | undefined;
  /** An error that came in mid-stream. */
  error: { readonly message: string; readonly status: number | undefined } | undefined;
}
