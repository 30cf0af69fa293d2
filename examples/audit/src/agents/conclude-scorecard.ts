/** Marks each side of the tree and makes the table that ends the run. */
import { basename, join } from 'node:path';
import { type AgentTask, textInput } from '../agent-program.ts';
import { makeScorecard, type ScorecardNeeds } from '../scorecard.ts';

export default function answer(task: AgentTask<ScorecardNeeds>) {
  const out = textInput(task, 'out');
  return makeScorecard(task.input.needs, basename(textInput(task, 'root')), {
    report: join(out, 'report.html'),
    markdown: join(out, 'report.md'),
    findings: join(out, 'findings.json'),
  });
}
