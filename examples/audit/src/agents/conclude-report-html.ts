/** Writes the report as `report.html`. */
import type { AgentTask } from '../agent-program.ts';
import type { ReportNeeds } from '../report.ts';
import { htmlReport } from '../report-html.ts';
import { writeOutput } from '../write-output.ts';

export default async function answer(task: AgentTask<ReportNeeds>) {
  return writeOutput(task, 'report.html', htmlReport(task.input.needs));
}
