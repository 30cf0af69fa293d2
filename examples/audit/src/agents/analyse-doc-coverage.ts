/** Which public names are documented nowhere, and which links are broken? */
import type { AgentTask } from '../agent-program.ts';
import { analyseDocCoverage } from '../doc-coverage.ts';

export default function answer(task: AgentTask<Parameters<typeof analyseDocCoverage>[0]>) {
  return analyseDocCoverage(task.input.needs);
}
