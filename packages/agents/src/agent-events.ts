/** One attempt as an async iterable of its events; the last one is `settled` and holds the outcome. */
import type { AgentDefinition, AgentTask } from './definition.ts';
import type { AgentEvent } from './event.ts';
import { runAgent } from './run-agent.ts';
import type { RunAgentOptions } from './run-options.ts';

export interface AgentEventsOptions extends Omit<RunAgentOptions, 'onEvent'> {
  /**
   * How many events may wait for a slow reader. Beyond it the oldest that wait are dropped and a warning counts them;
   * `settled` is never dropped. @default 10,000
   */
  readonly maxQueued?: number;
}

/**
 * Starts the attempt at once. Leaving the loop early ends the agent and everything it started, and waits until it is gone.
 * @throws what `runAgent` throws, from the iteration
 */
export async function* agentEvents(
  agent: AgentDefinition,
  task: AgentTask,
  options: AgentEventsOptions = {},
): AsyncGenerator<AgentEvent, void, void> {
  const { maxQueued = 10_000, signal, ...rest } = options;
  if (!(maxQueued >= 1)) throw new RangeError(`Expected \`maxQueued\` to be at least 1, got \`${maxQueued}\`.`);
  const queue: AgentEvent[] = [];
  const leave = new AbortController();
  const abort = () => leave.abort(signal?.reason);
  let dropped = 0;
  let finished = false;
  let wake: () => void = () => undefined;
  const onEvent = (event: AgentEvent) => {
    if (queue.length >= maxQueued) {
      queue.shift();
      dropped += 1;
    }
    queue.push(event);
    wake();
  };
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const attempt = runAgent(agent, task, { ...rest, signal: leave.signal, onEvent }).finally(() => {
    finished = true;
    wake();
  });
  // Awaited below; marked here so that a failure while nobody awaits yet is no unhandled rejection.
  attempt.catch(() => undefined);
  try {
    while (true) {
      if (dropped > 0) {
        const message = `${dropped} event(s) were dropped because more than ${maxQueued} waited for their reader.`;
        dropped = 0;
        yield { type: 'warning', message };
      }
      const event = queue.shift();
      if (event !== undefined) {
        yield event;
      } else if (finished) {
        await attempt;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    leave.abort();
    signal?.removeEventListener('abort', abort);
    await attempt.catch(() => undefined);
  }
}
