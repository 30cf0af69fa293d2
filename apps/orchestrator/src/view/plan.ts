/** What a run would do, told without running anything. */
import { type JsonValue, planWorkflow, type Workflow } from '@cadre/workflow';
import type { Colors } from './colors.ts';
import { formatCount, formatNumber } from './format.ts';
import { plainLine, truncate } from './plain-text.ts';
import { tableLines } from './table.ts';

export interface PlanRequest {
  readonly workflow: Workflow;
  readonly inputs: Readonly<Record<string, JsonValue>>;
  /** Attempts at once. */
  readonly concurrency: number;
  /** False: nothing is reused. */
  readonly cache: boolean;
}

/** The tasks in the order in which they would start if each took the same time. */
export function planValue({ workflow, inputs, concurrency, cache }: PlanRequest) {
  const { tasks } = planWorkflow(workflow);
  const order = [...tasks].sort((a, b) => a.depth - b.depth || b.priority - a.priority || a.number - b.number);
  return {
    workflow: workflow.name,
    file: workflow.file ?? null,
    inputs,
    concurrency,
    tasks: order.map((task, index) => {
      const agent = workflow.agents[task.agent];
      return {
        order: index + 1,
        id: task.id,
        group: task.group ?? null,
        agent: task.agent,
        adapter: agent?.definition.adapter ?? null,
        agentConcurrency: Number.isFinite(agent?.concurrency) ? (agent?.concurrency ?? null) : null,
        needs: task.needs.map((number) => tasks[number]?.id ?? ''),
        priority: task.priority,
        conditional: workflow.tasks[task.number]?.when !== undefined,
        reusable: cache && workflow.tasks[task.number]?.cache === true,
      };
    }),
  };
}

export function planLines(request: PlanRequest, console: { readonly columns: number; readonly colors: Colors }) {
  const plan = planValue(request);
  const { colors } = console;
  // Without a terminal nothing is cut: a pipe has room.
  const columns = colors.isColorSupported ? console.columns : 400;
  const lines = [
    `${colors.bold(plainLine(plan.workflow))}  ${formatCount(plan.tasks.length, 'task')}, at most ${formatNumber(plan.concurrency)} at once`,
  ];
  for (const [name, value] of Object.entries(plan.inputs)) {
    lines.push(truncate(`  ${name} = ${plainLine(JSON.stringify(value))}`, columns));
  }
  const rows = plan.tasks.map((task) => [
    task.order,
    task.id,
    task.group ?? '',
    task.agentConcurrency === null ? task.agent : `${task.agent} (at most ${task.agentConcurrency} at once)`,
    task.priority,
    task.reusable ? 'if unchanged' : 'never',
    [task.needs.join(', ') || '-', ...(task.conditional ? ['(on a condition)'] : [])].join(' '),
  ]);
  const heads = ['', 'task', 'group', 'agent', 'priority', 'reused', 'needs'];
  lines.push('', ...tableLines({ columns: heads, rows }, columns, colors), '');
  lines.push(
    'Priority: tasks on the longest chain that waits for this one; of two that are ready the higher starts first.',
  );
  lines.push(
    'Whether a result is reused shows when its task is about to start: it depends on what the tasks before it gave.',
  );
  lines.push('Nothing was started.');
  return lines;
}
