/**
 * Server-sent events to the JSON objects they carry.
 *
 * Source: HTML Living Standard, 9.2.6 "Interpreting an event stream"; names, ids and retry times are passed over, since
 * model APIs repeat in the data what they name.
 */
import { type Fields, isFields } from '../fields.ts';

export interface EventStream {
  push(chunk: Uint8Array): readonly Fields[];
  /** Of events whose blank line never came; what is damaged is left out. */
  end(): readonly Fields[];
}

export function openEventStream(): EventStream {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  const dispatch = (): readonly Fields[] => {
    const text = data.join('\n');
    data = [];
    if (!text.startsWith('{')) return [];
    try {
      const value: unknown = JSON.parse(text);
      return isFields(value) ? [value] : [];
    } catch {
      // Cut off or damaged: that the answer is not whole is seen by its missing end.
      return [];
    }
  };
  const line = (text: string): readonly Fields[] => {
    if (text === '') return dispatch();
    if (text.startsWith('data:')) data.push(text.slice(text.startsWith('data: ') ? 6 : 5));
    return [];
  };
  return {
    push: (chunk) => {
      // A CR at the end may belong to a LF that is still to come.
      const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      return lines.flatMap(line);
    },
    end: () => [...line(rest.replace(/\r$/, '')), ...dispatch()],
  };
}
