import { createRequire } from 'node:module';
import type create from 'mqemitter';

// CommonJS whose types say that it is not: its function is the whole module.
const mqemitter: typeof create.default = createRequire(import.meta.url)('mqemitter');

/** Bounds how many messages are under way; listeners say when they are through. */
export function openMqemitter<T extends object>(topic: string, visit: (message: T) => void) {
  const emitter = mqemitter({ concurrency: 1 });
  emitter.on(topic, (message, done) => {
    visit(message as Record<string, unknown> as T);
    done();
  });
  return { publish: (message: T) => emitter.emit({ ...message, topic }), close: () => emitter.close(() => undefined) };
}
