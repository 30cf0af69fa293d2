/** What was left for later, switched off, or never resolved? */
import type { AgentTask } from '../agent-program.ts';
import { analyseLeftovers } from '../leftovers.ts';

export default function answer(task: AgentTask<Parameters<typeof analyseLeftovers>[0]>) {
  return analyseLeftovers(task.input.needs);
}
