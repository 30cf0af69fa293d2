/** What to type after a run, as commands that work as they stand. */
import type { JsonValue, RunState } from '@cadre/workflow';
import { quoted } from './command-name.ts';
import type { Console } from './console.ts';
import { resultFiles, shownPath } from './view/result.ts';
import type { NextStep } from './view/summary.ts';

export function nextSteps(
  console: Console,
  runId: string,
  state: RunState,
  output: JsonValue | undefined,
): readonly NextStep[] {
  const steps: NextStep[] = [];
  if (state.status !== 'succeeded') {
    const why =
      state.status === 'failed' ? 'tries the failed tasks again; finished ones are kept' : 'goes on from here';
    steps.push({ command: console.command('resume', runId), why });
  }
  const page = output === undefined ? undefined : resultFiles(output).find(([, path]) => /\.html?$/.test(path));
  if (page !== undefined) steps.push({ command: openCommand(console, page[1]), why: 'opens the report' });
  const failed = state.plan.tasks.find((task) => state.tasks.get(task.number).phase === 'failed');
  if (failed !== undefined) {
    steps.push({ command: console.command('logs', failed.id), why: 'what its agent was asked and said' });
  }
  if (state.status === 'succeeded') {
    const result = state.plan.tasks[state.plan.result]?.id;
    if (result !== undefined) {
      steps.push({ command: console.command('logs', result), why: 'what an agent was asked and said' });
    }
  }
  return steps;
}

function openCommand({ host }: Console, path: string): string {
  const shown = quoted(shownPath(path, host.directory));
  switch (host.platform) {
    case 'darwin':
      return `open ${shown}`;
    case 'win32':
      return `start "" ${shown}`;
    default:
      return `xdg-open ${shown}`;
  }
}
