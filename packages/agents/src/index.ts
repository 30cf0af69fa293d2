/**
 * One event vocabulary and one outcome over every coding agent program.
 *
 * A definition says which program and how it is set up; a task says what one attempt is to do.
 */
export type { ModuleAgent, ModuleEvent, ModuleTask } from './adapters/module.ts';
export { type AgentEventsOptions, agentEvents } from './agent-events.ts';
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
export { AgentError, type AgentErrorCode } from './errors.ts';
export { type AgentEvent, type FailureReason, failureReasons, type JsonValue } from './event.ts';
export { type FoundProgram, findAgentPrograms } from './find-programs.ts';
export type { FailedOutcome, Outcome, OutcomeBase, SucceededOutcome } from './outcome.ts';
export { type RunAgentOptions, runAgent } from './run-agent.ts';
export { agentSchemas } from './schema.ts';
export { wrapUntrusted } from './untrusted.ts';
export { addUsage, type Cost, noCost, noUsage, type SessionTotal, type TokenUsage } from './usage.ts';
