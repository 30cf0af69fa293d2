/** Which packages are declared and unused, or used and undeclared? */
import type { AgentTask } from '../agent-program.ts';
import { analyseDependencies } from '../dependencies.ts';

export default function answer(task: AgentTask<Parameters<typeof analyseDependencies>[0]>) {
  return analyseDependencies(task.input.needs);
}
