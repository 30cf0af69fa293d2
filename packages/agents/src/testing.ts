/** For tests of what runs agents: an agent that plays a script, and a model provider on loopback. */
export {
  type ModelApi,
  type ModelBehaviour,
  type ModelRequest,
  type ModelServer,
  openModelServer,
} from './testing/model-server.ts';
export {
  type AgentScript,
  type ReceivedByScript,
  type ScriptedAdapter,
  type ScriptedAgent,
  scriptedAgent,
  scriptedCommand,
} from './testing/scripted-agent.ts';
export { modelServerUsage } from './testing/wire.ts';
