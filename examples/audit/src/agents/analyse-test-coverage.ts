/** Which source files does no test lead to? */
import type { AgentTask } from '../agent-program.ts';
import { analyseTestCoverage } from '../test-coverage.ts';

export default function answer(task: AgentTask<Parameters<typeof analyseTestCoverage>[0]>) {
  return analyseTestCoverage(task.input.needs);
}
