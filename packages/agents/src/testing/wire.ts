/** The contract between the loopback model server, which knows what is to be said, and an API, which knows how it is put. */

/** The tokens that every answer claims. `cached` and `cacheWrite` are parts of `input`; APIs without them leave them out. */
export const modelServerUsage = Object.freeze({ input: 160, cached: 30, cacheWrite: 10, output: 7 });

/** One answer in the terms of one API. */
export interface Wire {
  /** What is sent with status 200 to a request that did not ask for a stream. */
  whole(answer: WireAnswer): object;
  /** Server-sent events, each ready to be written. */
  stream(answer: WireAnswer): readonly string[];
  error(status: number, message: string): object;
}

export interface WireAnswer {
  /** Different for every request. */
  readonly id: number;
  readonly model: string;
  /** The text, cut where it is streamed; empty beside a tool call. */
  readonly pieces: readonly string[];
  readonly tool?: { readonly name: string; readonly namespace?: string; readonly input: object };
}

/** A server-sent event as it goes over the wire; without a name where the API gives none. */
export function serverSentEvent(data: object | string, name?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${text}\n\n`;
}
