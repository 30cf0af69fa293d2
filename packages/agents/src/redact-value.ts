/** Secrets out of values that never were a stream of bytes: what a function in a thread emits, what a provider answers. */
import { type OpenRedactor, redactorOf } from './redact.ts';

const nothingToFind = redactorOf([])();

/** The same value with every text and key in it redacted. */
export function redactedValue<Value>(value: Value, openRedactor: OpenRedactor): Value {
  if (openRedactor() === nothingToFind) return value;
  return walk(value, openRedactor) as Value;
}

function walk(value: unknown, openRedactor: OpenRedactor): unknown {
  if (typeof value === 'string') return redactedText(value, openRedactor);
  if (Array.isArray(value)) return value.map((item) => walk(item, openRedactor));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    redactedText(key, openRedactor),
    walk(item, openRedactor),
  ]);
  return Object.fromEntries(entries);
}

function redactedText(text: string, openRedactor: OpenRedactor): string {
  const redactor = openRedactor();
  const bytes = Buffer.from(text);
  return Buffer.concat([redactor.push(bytes), redactor.end()]).toString();
}
