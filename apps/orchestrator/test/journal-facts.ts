/** What a test wants to know of a journal, read without our own reader: it is the journal that is in question. */
import { existsSync, readFileSync } from 'node:fs';
import type { RunEvent } from '@cadre/workflow';

/** Whole lines only: what a crash cut off has not happened. */
export function eventsOf(journal: string): readonly RunEvent[] {
  if (!existsSync(journal)) return [];
  const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1);
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

export function finishedTasks(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'attemptSettled' && event.failure === undefined ? [event.task] : [],
  );
}

/** Tasks that were started after they had finished. */
export function ranAgain(events: readonly RunEvent[]): readonly string[] {
  const finished = new Set<string>();
  return events.flatMap((event) => {
    if (event.type === 'attemptSettled' && event.failure === undefined) finished.add(event.task);
    return event.type === 'attemptStarted' && finished.has(event.task) ? [event.task] : [];
  });
}
