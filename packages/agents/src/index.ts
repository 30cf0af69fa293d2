/**
 * One event vocabulary and one outcome over every coding agent program.
 *
 * A definition says which program and how it is set up; a task says what one attempt is to do.
 */
export type { PermissionAnswer } from './adapter.ts';
export type { ModuleAgent, ModuleEvent, ModuleTask } from './adapters/module.ts';
export { type AgentEventsOptions, agentEvents } from './agent-events.ts';
export { type ConformanceProblem, type ConformanceReport, checkLineProtocol } from './conformance.ts';
export type {
  AdapterName,
  AgentDefinition,
  AgentLimits,
  AgentTask,
  ClaudeAgentDefinition,
  CodexAgentDefinition,
  CommandAgentDefinition,
  GeminiAgentDefinition,
  JsonlAgentDefinition,
  McpServer,
  ModelAgentDefinition,
  ModuleAgentDefinition,
  OpencodeAgentDefinition,
} from './definition.ts';
export { AgentError, type AgentErrorCode } from './errors.ts';
export { type AgentEvent, type FailureReason, failureReasons, type JsonValue } from './event.ts';
export { type FoundProgram, findAgentPrograms } from './find-programs.ts';
export type { FailedOutcome, Outcome, OutcomeBase, SucceededOutcome } from './outcome.ts';
export type { AnswerPermission, PermissionQuestion } from './permission.ts';
export type { ModelPrice } from './price.ts';
export { readAttemptEvents } from './recorded-events.ts';
export { adoptAgent, runAgent } from './run-agent.ts';
export type { RunAgentOptions } from './run-options.ts';
export { agentSchemas } from './schema.ts';
export { type AgentSession, openAgentSession, type SessionTask, type TurnOptions } from './session.ts';
export { type SettingProblem, settingProblems, unsupportedSetting } from './settings.ts';
export { wrapUntrusted } from './untrusted.ts';
export { addUsage, type Cost, noCost, noUsage, type SessionTotal, type TokenUsage } from './usage.ts';
