/** Secrets out of a text that comes in pieces: a secret may be spread over any number of them. */
import type { OpenRedactor } from '../redact.ts';

export function openTextRedactor(openRedactor: OpenRedactor) {
  const redactor = openRedactor();
  const decoder = new TextDecoder();
  return {
    /** What is certain by now; may be empty. */
    push: (text: string): string => decoder.decode(redactor.push(Buffer.from(text)), { stream: true }),
    end: (): string => decoder.decode(redactor.end()),
  };
}
