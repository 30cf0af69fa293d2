/** Puts the findings of all analyses into one order and writes them to `findings.json`. */
import type { AgentTask } from '../agent-program.ts';
import { type RankNeeds, rankFindings } from '../rank.ts';
import { writeOutput } from '../write-output.ts';

export default async function answer(task: AgentTask<RankNeeds>) {
  const ranking = rankFindings(task.input.needs);
  await writeOutput(task, 'findings.json', `${JSON.stringify(ranking, null, 2)}\n`);
  return ranking;
}
