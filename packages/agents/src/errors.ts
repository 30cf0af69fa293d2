/** The ways in which this package itself fails. What an agent did is never an error: it is an outcome. */

/** What is wrong around an agent rather than with its work; the README says when each comes and what to do. */
export type AgentErrorCode =
  | 'AGENT_FILES_UNWRITABLE'
  | 'AGENT_SCRIPT_TOO_LARGE'
  | 'AGENT_SESSION_CLOSED'
  | 'AGENT_SESSION_LOST';

export class AgentError extends Error {
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AgentError';
    this.code = code;
  }
}
