/** Which files are too large? */
import type { AgentTask } from '../agent-program.ts';
import { analyseOversizedFiles } from '../oversized-files.ts';

export default function answer(task: AgentTask<Parameters<typeof analyseOversizedFiles>[0]>) {
  return analyseOversizedFiles(task.input.needs);
}
