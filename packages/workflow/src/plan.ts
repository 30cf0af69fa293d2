/**
 * The plan: a workflow's tasks as a graph of numbers, with everything the scheduler asks for worked out once. Nothing
 * here knows files, expressions or agents; 100,000 tasks are planned in well under a second.
 *
 * A task's priority is the length of the longest chain of tasks that starts with it (the critical-path method with
 * every task counted as one): of two ready tasks the one that holds up more work starts first.
 */
import { WorkflowError } from './errors.ts';
import type { Workflow } from './workflow.ts';

export interface Plan {
  /** In the order of the workflow; a task's place here is its number everywhere else. */
  readonly tasks: readonly PlannedTask[];
  readonly numberOf: ReadonlyMap<string, number>;
  /** Attempts at once, per lane. Lane 0 is for agents without a limit of their own. */
  readonly laneLimits: readonly number[];
  readonly onFailure: 'continue' | 'stop';
  /** The number of the task whose output is what the run is for. */
  readonly result: number;
}

export interface PlannedTask {
  readonly number: number;
  readonly id: string;
  readonly agent: string;
  readonly group: string | undefined;
  readonly needs: readonly number[];
  readonly dependents: readonly number[];
  /** Tasks on the longest chain from this one to an end, itself included. */
  readonly priority: number;
  /** Tasks on the longest chain from a start to this one, itself not included. */
  readonly depth: number;
  readonly lane: number;
}

/** What a plan is made from; every `Workflow` is one. */
export type Plannable = Pick<Workflow, 'onFailure' | 'result'> & {
  readonly tasks: readonly {
    readonly id: string;
    readonly agent: string;
    readonly needs: readonly string[];
    readonly group?: string;
  }[];
  readonly agents: Readonly<Record<string, { readonly concurrency: number }>>;
};

/**
 * @throws {WorkflowError} WORKFLOW_INVALID when a need names no task or the needs go round in a circle, which no loaded
 * workflow does.
 * Cost: O(tasks + needs).
 */
export function planWorkflow(workflow: Plannable): Plan {
  const numberOf = new Map(workflow.tasks.map((task, number) => [task.id, number]));
  const needs = workflow.tasks.map((task) => task.needs.map((id) => known(numberOf, id, task.id)));
  const dependents: number[][] = workflow.tasks.map(() => []);
  needs.forEach((list, number) => {
    for (const need of list) dependents[need]?.push(number);
  });

  const order = topologicalOrder(needs, dependents, (number) => workflow.tasks[number]?.id ?? '');
  const depth = longest(order, needs, 0);
  const priority = longest([...order].reverse(), dependents, 1);
  const lanes = assignLanes(workflow.agents);

  const tasks = workflow.tasks.map((task, number) => ({
    number,
    id: task.id,
    agent: task.agent,
    group: task.group,
    needs: needs[number] ?? [],
    dependents: dependents[number] ?? [],
    priority: priority[number] ?? 1,
    depth: depth[number] ?? 0,
    lane: lanes.of.get(task.agent) ?? 0,
  }));
  return {
    tasks,
    numberOf,
    laneLimits: lanes.limits,
    onFailure: workflow.onFailure,
    result: numberOf.get(workflow.result) ?? tasks.length - 1,
  };
}

function known(numberOf: ReadonlyMap<string, number>, id: string, by: string): number {
  const number = numberOf.get(id);
  if (number === undefined) {
    throw new WorkflowError('WORKFLOW_INVALID', `Task "${by}" needs "${id}", which is no task of the workflow.`);
  }
  return number;
}

/** Kahn's algorithm (A. B. Kahn, "Topological sorting of large networks", CACM 1962). */
function topologicalOrder(
  needs: readonly (readonly number[])[],
  dependents: readonly (readonly number[])[],
  idOf: (number: number) => string,
): readonly number[] {
  const missing = needs.map((list) => list.length);
  const order = missing.flatMap((count, number) => (count === 0 ? [number] : []));
  for (let next = 0; next < order.length; next += 1) {
    for (const dependent of dependents[order[next] ?? 0] ?? []) {
      const left = (missing[dependent] ?? 0) - 1;
      missing[dependent] = left;
      if (left === 0) order.push(dependent);
    }
  }
  if (order.length < needs.length) {
    const stuck = missing.flatMap((count, number) => (count > 0 ? [idOf(number)] : []));
    throw new WorkflowError(
      'WORKFLOW_INVALID',
      `These tasks need each other in a circle: ${stuck.slice(0, 10).join(', ')}.`,
    );
  }
  return order;
}

function longest(order: readonly number[], before: readonly (readonly number[])[], own: number): readonly number[] {
  const length = new Array<number>(order.length).fill(own);
  for (const number of order) {
    let most = own;
    for (const other of before[number] ?? []) most = Math.max(most, (length[other] ?? 0) + 1);
    length[number] = most;
  }
  return length;
}

function assignLanes(agents: Plannable['agents']): { of: Map<string, number>; limits: number[] } {
  const of = new Map<string, number>();
  const limits = [Number.POSITIVE_INFINITY];
  for (const [name, agent] of Object.entries(agents)) {
    of.set(name, agent.concurrency === Number.POSITIVE_INFINITY ? 0 : limits.push(agent.concurrency) - 1);
  }
  return { of, limits };
}
