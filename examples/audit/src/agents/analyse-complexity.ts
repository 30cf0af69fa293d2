/** Which functions are hardest to follow? */
import type { AgentTask } from '../agent-program.ts';
import { analyseComplexity } from '../complexity.ts';

export default function answer(task: AgentTask<Parameters<typeof analyseComplexity>[0]>) {
  return analyseComplexity(task.input.needs);
}
