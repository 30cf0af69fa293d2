/** Run events as lines for people, for piped output and for `cadre logs`. */
import type { RunEvent } from '@cadre/workflow';
import { formatClock, formatCount, formatDuration, formatMoney } from './format.ts';
import { plainLine } from './plain-text.ts';
import { savedText } from './task-line.ts';

/** Undefined for an event that says nothing to a person. */
export function eventLine(event: RunEvent): string | undefined {
  const text = eventText(event);
  return text === undefined ? undefined : `${formatClock(event.at)} ${text}`;
}

function eventText(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'runStarted':
      return `${plainLine(event.workflow.name)} started: ${formatCount(event.tasks, 'task')}, run ${event.runId}`;
    case 'runResumed':
      return 'run resumed';
    case 'taskSkipped': {
      const reason = event.reason === 'condition' ? 'its condition is false' : 'a task it needs failed';
      return `${event.task} skipped: ${reason}`;
    }
    case 'taskReused':
      return `${event.task} reused (saved ${savedText(event.saved.durationMs, event.saved.usd)})`;
    case 'attemptStarted':
      return event.attempt === 1 ? `${event.task} started` : `${event.task} started, attempt ${event.attempt}`;
    case 'attemptAdopted':
      return `${event.task} taken up again`;
    case 'attemptSettled': {
      const { task, failure, durationMs, cost, at } = event;
      const price = cost.usd > 0 ? `, ${formatMoney(cost.usd)}` : '';
      if (failure === undefined) return `${task} succeeded in ${formatDuration(durationMs)}${price}`;
      const next = failure.retryAt === undefined ? '' : `; next try in ${formatDuration(failure.retryAt - at)}`;
      const reason = `${failure.reason}: ${plainLine(failure.message)}`;
      return `${task} failed after ${formatDuration(durationMs)}${price} (${reason})${next}`;
    }
    case 'runStopping':
      return `run stopping: ${stopReasons[event.reason]}`;
    case 'runEnded':
      return `run ${event.status}`;
    default:
      return undefined;
  }
}

const stopReasons = {
  failure: 'a task failed',
  interrupted: 'interrupted',
  cancelled: 'cancelled',
} as const;
