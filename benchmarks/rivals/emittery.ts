import Emittery from 'emittery';

/** Asynchronous by design: each `emit` resolves when all listeners are through. */
export function openEmittery<T>(subject: string, visit: (message: T) => void) {
  const emitter = new Emittery<Record<string, T>>();
  emitter.on(subject, (event) => visit(event as T));
  return { publish: (message: T): Promise<void> => emitter.emit(subject, message) };
}
