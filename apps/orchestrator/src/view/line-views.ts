/** The run as lines, for pipes, files and CI: words for people, or the journal's own JSON. */
import { eventLine } from './event-line.ts';
import type { RunView } from './run-view.ts';

export function plainView(print: (line: string) => void, warn: (line: string) => void): RunView {
  return {
    begin: (_, event) => print(eventLine(event) ?? ''),
    runEvent(event) {
      const line = eventLine(event);
      if (line !== undefined) print(line);
    },
    agentEvent: () => undefined,
    say: warn,
    end: () => undefined,
  };
}

export function jsonView(print: (line: string) => void, warn: (line: string) => void): RunView {
  return {
    begin: (_, event) => print(JSON.stringify(event)),
    runEvent: (event) => print(JSON.stringify(event)),
    agentEvent: () => undefined,
    say: warn,
    end: () => undefined,
  };
}
