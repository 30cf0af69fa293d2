/** What shows a run while it is under way. */
import type { AgentEvent } from '@cadre/agents';
import type { RunEvent } from '@cadre/workflow';
import type { RunModel } from './run-model.ts';

/** The model given to `begin` is kept up to date by the caller: each call comes after the model has changed. */
export interface RunView {
  /** @param event  the one by which the run began, or was taken up again */
  begin(model: RunModel, event: RunEvent): void;
  runEvent(event: RunEvent): void;
  agentEvent(task: string, event: AgentEvent): void;
  /** Something to know while the run goes on. */
  say(text: string): void;
  /** Nothing more is shown; the terminal is as it was found. Also called when the run broke off, and then again. */
  end(): void;
}
