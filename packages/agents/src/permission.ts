/** Permissions that a program asks for: put to the host, answered in any case, so that no run ever waits for nobody. */
import type { Dialogue, PermissionAnswer } from './adapter.ts';
import type { AgentEvent, JsonValue } from './event.ts';

export interface PermissionQuestion {
  readonly id: string;
  readonly tool: string;
  /** What the agent wants to call it with. */
  readonly input?: JsonValue;
  readonly message?: string;
  /** Aborted once no answer is needed any more: the agent took the question back, ended, or the time was over. */
  readonly signal: AbortSignal;
}

/** Of the host: called for each question. What it throws denies the tool. */
export type AnswerPermission = (question: PermissionQuestion) => PermissionAnswer | Promise<PermissionAnswer>;

export interface PermissionDesk {
  /** Takes note of an event; questions among them are put to the host. */
  meet(event: AgentEvent): void;
  /** The agent took a question back. */
  withdraw(id: string): void;
  /** Nobody waits any more. */
  close(): void;
}

export interface PermissionDeskOptions {
  readonly dialogue: Dialogue;
  readonly ask: AnswerPermission;
  readonly timeoutMs: number;
  readonly write: (line: string) => void;
  readonly onEvent: (event: AgentEvent) => void;
  /** The host's own failure: the agent is told no, and the caller of the run is told the error. */
  readonly onFailure: (error: unknown) => void;
}

export function openPermissionDesk(options: PermissionDeskOptions): PermissionDesk {
  const open = new Map<string, AbortController>();
  const answer = async (event: AgentEvent & { type: 'permissionAsked' }, id: string) => {
    const { tool, input, message } = event;
    const waiting = new AbortController();
    open.set(id, waiting);
    const { answer, by } = await decide(options, waiting, {
      ...{ id, tool, signal: waiting.signal },
      ...(input === undefined ? {} : { input }),
      ...(message === undefined ? {} : { message }),
    });
    // Withdrawn or closed: nobody reads an answer.
    if (!open.delete(id)) return;
    waiting.abort();
    options.write(options.dialogue.answer(id, input, answer));
    const said = answer.allow ? undefined : answer.message;
    const told = said === undefined ? {} : { message: said };
    options.onEvent({ type: 'permissionAnswered', id, tool, allowed: answer.allow, by, ...told });
  };
  return {
    meet: (event) => {
      if (event.type !== 'permissionAsked' || event.denied || event.id === undefined) return;
      answer(event, event.id).catch(options.onFailure);
    },
    withdraw: (id) => {
      const waiting = open.get(id);
      open.delete(id);
      waiting?.abort();
    },
    close: () => {
      for (const waiting of open.values()) waiting.abort();
      open.clear();
    },
  };
}

async function decide(
  { ask, timeoutMs, onFailure }: PermissionDeskOptions,
  waiting: AbortController,
  question: PermissionQuestion,
): Promise<{ readonly answer: PermissionAnswer; readonly by: 'host' | 'default' }> {
  let timer: NodeJS.Timeout | undefined;
  const refused = (message: string) => ({ answer: { allow: false, message }, by: 'default' }) as const;
  const late = new Promise<ReturnType<typeof refused>>((resolve) => {
    const giveUp = () => resolve(refused('Nobody answered in time; go on without it.'));
    waiting.signal.addEventListener('abort', giveUp, { once: true });
    if (timeoutMs <= longestTimer) timer = setTimeout(giveUp, timeoutMs);
  });
  try {
    const asked = (async () => ({ answer: await ask(question), by: 'host' }) as const)();
    return await Promise.race([asked, late]);
  } catch (error) {
    onFailure(error);
    return refused('The host failed to answer.');
  } finally {
    clearTimeout(timer);
  }
}

/** `setTimeout` takes no more than this, about 25 days. */
const longestTimer = 2 ** 31 - 1;
