// Functions for the `module` adapter.
import { isMainThread } from 'node:worker_threads';

export default async function count(task, context) {
  context.emit({ type: 'text', text: 'counting' });
  context.emit({ type: 'progress', done: 1, total: 1 });
  context.emit({ type: 'novelty' });
  context.emit({ type: 'usage', inputTokens: 1, outputTokens: 1, model: 'gpt-5.1-codex' });
  return { ...task, isMainThread, when: new Date(0) };
}

export function throwing() {
  throw new Error('no such luck');
}

export function stating(_task, context) {
  context.emit({ type: 'error', message: 'slow down', reason: 'rateLimit', retryAtMs: 7 });
  throw new Error('slow down');
}

export function spinning(_task, context) {
  context.emit({ type: 'text', text: 'spinning' });
  for (;;);
}

export function nothing() {
  return undefined;
}

export function circular() {
  const value = {};
  value.self = value;
  return value;
}

export function large() {
  return 'x'.repeat(2000);
}

export function dying() {
  process.exit(3);
}
