/**
 * What a view of a run is drawn from: the state that the run's events fold to, and of tasks under way the last thing
 * their agents said. It is fed events and holds nothing else, so a run that is over can be shown from its journal.
 */
import type { AgentEvent } from '@cadre/agents';
import {
  apply,
  fold,
  initialState,
  type RunEvent,
  type RunRecord,
  type RunState,
  type Workflow,
} from '@cadre/workflow';
import { plainLine } from './plain-text.ts';

export interface Activity {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly progress?: { readonly done: number; readonly total?: number };
  /** The latest message or the last line of text, harmless. */
  readonly text?: string;
  readonly usd: number;
}

export interface Saved {
  readonly durationMs: number;
  readonly usd: number;
}

export class RunModel {
  readonly id: string;
  readonly name: string;
  /** The run's folder. */
  readonly directory: string;
  readonly workflow: Workflow;
  /** When this process, or the last one that worked on the run, took it up. */
  takenUpAt: number;
  state: RunState;
  /** Of running tasks, by id. */
  readonly activities = new Map<string, Activity>();
  /** What each reused result had cost, by task. */
  readonly saved = new Map<string, Saved>();
  /** How long each task's last attempt took, by id. */
  readonly durations = new Map<string, number>();

  constructor(run: { readonly id: string; readonly directory: string; readonly workflow: Workflow }, state: RunState) {
    this.id = run.id;
    this.name = plainLine(run.workflow.name);
    this.directory = run.directory;
    this.workflow = run.workflow;
    this.state = state;
    this.takenUpAt = state.started?.at ?? 0;
  }

  static fromRecord(record: RunRecord): RunModel {
    const model = new RunModel(record, initialState(record.state.plan));
    for (const event of record.events) model.#note(event);
    model.state = fold(record.state.plan, record.events);
    return model;
  }

  apply(event: RunEvent): void {
    this.state = apply(this.state, event);
    this.#note(event);
  }

  applyAgentEvent(task: string, event: AgentEvent): void {
    const before = this.activities.get(task);
    if (before === undefined) return;
    this.activities.set(task, withEvent(before, event));
  }

  /** All that was spent so far, attempts under way included. */
  get usd(): number {
    let usd = this.state.totals.usd;
    for (const activity of this.activities.values()) usd += activity.usd;
    return usd;
  }

  #note(event: RunEvent): void {
    switch (event.type) {
      case 'runStarted':
        this.takenUpAt = event.at;
        break;
      case 'runResumed':
        this.takenUpAt = event.at;
        this.activities.clear();
        break;
      case 'attemptStarted':
      case 'attemptAdopted':
        this.activities.set(event.task, { since: event.at, usd: 0 });
        break;
      case 'attemptSettled':
        this.activities.delete(event.task);
        this.durations.set(event.task, event.durationMs);
        break;
      case 'taskReused':
        this.saved.set(event.task, event.saved);
        break;
    }
  }
}

function withEvent(before: Activity, event: AgentEvent): Activity {
  switch (event.type) {
    case 'progress': {
      const progress = event.total === undefined ? { done: event.done } : { done: event.done, total: event.total };
      const { text: _, ...rest } = before;
      return { ...rest, progress, ...(event.message === undefined ? {} : { text: plainLine(event.message) }) };
    }
    case 'text': {
      const text = plainLine(lastLine(event.text));
      return text === '' ? before : { ...before, text };
    }
    case 'toolStarted':
      return { ...before, text: plainLine(event.name) };
    case 'retrying':
      return { ...before, text: plainLine(`retrying (${event.reason}) ${event.message ?? ''}`) };
    case 'permissionAsked':
      return { ...before, text: plainLine(`${event.denied ? 'was denied' : 'asks for'} ${event.tool}`) };
    case 'warning':
      return { ...before, text: plainLine(event.message) };
    case 'usage':
      return event.cost === undefined ? before : { ...before, usd: event.cost.usd };
    default:
      return before;
  }
}

function lastLine(text: string): string {
  const trimmed = text.trimEnd();
  return trimmed.slice(trimmed.lastIndexOf('\n') + 1);
}
