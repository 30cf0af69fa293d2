/**
 * Several turns of one conversation. Claude Code stays and is spoken to over its stdin; Codex, Gemini CLI, OpenCode and
 * programs of the line protocol are started for each turn and resume; a model is told what was said before.
 *
 * A *turn* is one `send`, and has an outcome as an attempt has.
 */
import { runModel } from './adapters/model.ts';
import type { AgentDefinition, AgentTask } from './definition.ts';
import { AgentError } from './errors.ts';
import type { AgentEvent } from './event.ts';
import { openLiveProgram } from './live-program.ts';
import type { ModelMessage } from './model/provider.ts';
import type { Outcome } from './outcome.ts';
import { redactedValue } from './redact-value.ts';
import { checked, runAgent } from './run-agent.ts';
import { type RunAgentOptions, resolveRunOptions } from './run-options.ts';
import { refuseLimits } from './task-text.ts';
import type { SessionTotal } from './usage.ts';

/** What holds for a session as a whole; each turn has the rest. */
export type SessionTask = Pick<AgentTask, 'cwd' | 'environment' | 'limits' | 'resumeSessionId' | 'resumeSessionTotal'>;

export interface TurnOptions extends Pick<AgentTask, 'input' | 'outputSchema' | 'timeoutMs' | 'idleTimeoutMs'> {
  /** Ends this turn; the session goes on. */
  readonly signal?: AbortSignal;
  /** Called with the events of this turn, `settled` last. */
  readonly onEvent?: (event: AgentEvent) => void;
  readonly attemptDirectory?: string;
}

export interface AgentSession extends AsyncDisposable {
  /** What the conversation is resumed by; undefined before the program has said it, and for a model. */
  readonly sessionId: string | undefined;
  /**
   * One turn, after those before it. Whatever the agent does there is an outcome.
   * @throws {AgentError} AGENT_SESSION_CLOSED after `close`
   * @throws {AgentError} AGENT_SESSION_LOST when an earlier turn left no session to resume
   * @throws what `runAgent` throws
   */
  send(prompt: string, options?: TurnOptions): Promise<Outcome>;
  /** Waits for the turn under way, then ends the program if it stayed. */
  close(): Promise<void>;
}

/** What carries out one turn. */
export interface Conversation {
  turn(task: AgentTask, options: RunAgentOptions): Promise<Outcome>;
  close(): Promise<void>;
}

/**
 * Nothing is started before the first `send`.
 * @throws {TypeError} when the agent can't take several turns: a `command`, a `module`
 */
export function openAgentSession(
  agent: AgentDefinition,
  task: SessionTask,
  options: RunAgentOptions = {},
): AgentSession {
  if (agent.adapter === 'command' || agent.adapter === 'module') {
    throw new TypeError(`Expected an agent that can take several turns; a ${agent.adapter} answers once.`);
  }
  const conversation = conversationOf(agent, options);
  let sessionId = task.resumeSessionId;
  let sessionTotal: SessionTotal | undefined = task.resumeSessionTotal;
  let turns = 0;
  let state: 'open' | 'closed' = 'open';
  let last: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;

  const turn = async (prompt: string, { signal, onEvent, ...more }: TurnOptions): Promise<Outcome> => {
    if (turns > 0 && sessionId === undefined && agent.adapter !== 'model') {
      const message = 'The turn before left no session id, so there is nothing to go on with; open a new session.';
      throw new AgentError('AGENT_SESSION_LOST', message);
    }
    turns += 1;
    const outcome = await conversation.turn(
      {
        ...{ prompt, cwd: task.cwd, ...more },
        ...(task.environment === undefined ? {} : { environment: task.environment }),
        ...(task.limits === undefined ? {} : { limits: task.limits }),
        ...(sessionId === undefined ? {} : { resumeSessionId: sessionId }),
        ...(sessionTotal === undefined ? {} : { resumeSessionTotal: sessionTotal }),
      },
      {
        ...options,
        ...(signal === undefined ? {} : { signal }),
        onEvent: (event) => {
          options.onEvent?.(event);
          onEvent?.(event);
        },
      },
    );
    sessionId = outcome.sessionId ?? sessionId;
    sessionTotal = outcome.sessionTotal ?? sessionTotal;
    return outcome;
  };
  const close = () => {
    state = 'closed';
    closing ??= last.then(() => conversation.close());
    return closing;
  };
  return {
    get sessionId() {
      return sessionId;
    },
    send: (prompt, turnOptions = {}) => {
      if (state === 'closed') {
        return Promise.reject(new AgentError('AGENT_SESSION_CLOSED', 'The session is closed; open a new one.'));
      }
      const outcome = last.then(() => turn(prompt, turnOptions));
      last = outcome.catch(() => undefined);
      return outcome;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function conversationOf(agent: AgentDefinition, options: RunAgentOptions): Conversation {
  if (agent.adapter === 'claude') return openLiveProgram(agent, options);
  if (agent.adapter !== 'model') {
    return { turn: (task, turnOptions) => runAgent(agent, task, turnOptions), close: () => Promise.resolve() };
  }
  const said: ModelMessage[] = [];
  return {
    turn: async (task, turnOptions) => {
      refuseLimits(task, 'model');
      const run = resolveRunOptions(turnOptions, agent);
      const asked = said.length;
      const ended = await runModel(agent, task, run, said);
      const outcome = checked(redactedValue(ended, run.openRedactor), task);
      if (outcome.status === 'succeeded') {
        said.push({ role: 'user', text: task.prompt }, { role: 'assistant', text: textOf(outcome) });
      } else said.length = asked;
      run.onEvent({ type: 'settled', outcome });
      return outcome;
    },
    close: () => Promise.resolve(),
  };
}

function textOf({ text, output }: Outcome): string {
  return text === '' ? JSON.stringify(output) : text;
}
