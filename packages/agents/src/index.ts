/**
 * One event vocabulary and one outcome over every coding agent program.
 *
 * A definition says which program and how it is set up; a task says what one attempt is to do.
 */
export type {
  AdapterName,
  AgentDefinition,
  AgentTask,
  ClaudeAgentDefinition,
  CodexAgentDefinition,
  CommandAgentDefinition,
  JsonlAgentDefinition,
  ModuleAgentDefinition,
} from './definition.ts';
export { type AgentEvent, type FailureReason, failureReasons, type JsonValue } from './event.ts';
export type { FailedOutcome, Outcome, OutcomeBase, SucceededOutcome } from './outcome.ts';
export { agentSchemas } from './schema.ts';
export { addUsage, type Cost, noCost, noUsage, type SessionTotal, type TokenUsage } from './usage.ts';
