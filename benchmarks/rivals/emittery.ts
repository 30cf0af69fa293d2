import Emittery from 'emittery';
import type { FarSide, Report } from './far-side.ts';

/** Asynchronous by design: each `emit` resolves when all listeners are through. */
export function openEmittery<T>(subject: string, visit: (message: T) => void) {
  const emitter = new Emittery<Record<string, T>>();
  emitter.on(subject, (event) => visit(event as T));
  return { publish: (message: T): Promise<void> => emitter.emit(subject, message) };
}

/** What answers by an event of its own, which is as near as it has to a request. */
export async function openEmitteryWithin(): Promise<FarSide> {
  const emitter = new Emittery<Record<string, unknown>>();
  let report = { count: 0, sum: 0 };
  emitter.on('work', (event) => {
    report.count += 1;
    report.sum += (event as { readonly value: number }).value;
  });
  emitter.on('report', (event) => {
    const last = report;
    report = { count: 0, sum: 0 };
    return emitter.emit(event as string, last);
  });
  emitter.on('ask', (event) => {
    const { value, reply } = event as { readonly value: unknown; readonly reply: string };
    return emitter.emit(reply, value);
  });
  let asked = 0;
  const answerTo = <Answer>(reply: string) =>
    new Promise<Answer>((resolve) => {
      const leave = emitter.on(reply, (event) => {
        leave();
        resolve(event as Answer);
      });
    });
  return {
    send: (value) => emitter.emit('work', value),
    report: () => {
      const answer = answerTo<Report>('reported');
      void emitter.emit('report', 'reported');
      return answer;
    },
    ask: (value) => {
      asked += 1;
      const reply = `answer ${asked}`;
      const answer = answerTo(reply);
      void emitter.emit('ask', { value, reply });
      return answer;
    },
    close: async () => emitter.clearListeners(),
  };
}
