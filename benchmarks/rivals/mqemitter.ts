import mqemitter from 'mqemitter';

/** Bounds how many messages are under way; listeners say when they are through. */
export function openMqemitter<T extends object>(topic: string, visit: (message: T) => void) {
  const emitter = mqemitter({ concurrency: 1 });
  emitter.on(topic, (message, done) => {
    visit(message as unknown as T);
    done();
  });
  return { publish: (message: T) => emitter.emit({ ...message, topic }), close: () => emitter.close(() => undefined) };
}
