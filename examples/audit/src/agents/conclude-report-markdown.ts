/** Writes the report as `report.md`. */
import type { AgentTask } from '../agent-program.ts';
import type { ReportNeeds } from '../report.ts';
import { markdownReport } from '../report-markdown.ts';
import { writeOutput } from '../write-output.ts';

export default async function answer(task: AgentTask<ReportNeeds>) {
  return writeOutput(task, 'report.md', markdownReport(task.input.needs));
}
