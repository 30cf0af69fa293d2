/** Sums up the tree by folder. */
import type { AgentTask } from '../agent-program.ts';
import { summarizeFolders } from '../folders.ts';

export default function answer(task: AgentTask<Parameters<typeof summarizeFolders>[0]>) {
  return summarizeFolders(task.input.needs);
}
