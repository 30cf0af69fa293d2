/** The graph that `needs` make: unknown tasks, tasks that need themselves, circles. All in time linear in its size. */
import type { Findings, Path } from './problems.ts';
import { suggest } from './suggest.ts';
import { type JsonRecord, recordOf } from './untyped.ts';
import type { JsonValue, TaskDefinition } from './workflow.ts';

/** Tasks by number, in the order of the file. */
export interface NeedsGraph {
  readonly ids: readonly string[];
  readonly numberOf: ReadonlyMap<string, number>;
  readonly needs: readonly (readonly number[])[];
  readonly dependents: readonly (readonly number[])[];
  /** Undefined when tasks need each other in a circle: then there is no order. A need's rank is below its dependent's. */
  readonly rank: readonly number[] | undefined;
}

export function checkNeeds(tasks: readonly TaskDefinition[], given: JsonRecord, findings: Findings): NeedsGraph {
  const ids = tasks.map(({ id }) => id);
  const numberOf = new Map(ids.map((id, number) => [id, number]));
  const dependents: number[][] = ids.map(() => []);
  const needs = ids.map((id, task) => {
    const numbers = resolveNeeds(recordOf(given[id]).needs, task, ids, numberOf, findings);
    for (const need of numbers) dependents[need]?.push(task);
    return numbers;
  });
  const graph = { ids, numberOf, needs, dependents };
  const rank = ranks(graph);
  if (rank === undefined) reportCycles(graph, given, findings);
  return { ...graph, rank };
}

type Edges = Omit<NeedsGraph, 'rank'>;

function resolveNeeds(
  written: JsonValue | undefined,
  task: number,
  ids: readonly string[],
  numberOf: ReadonlyMap<string, number>,
  findings: Findings,
): readonly number[] {
  const numbers = new Set<number>();
  for (const [index, id] of (Array.isArray(written) ? written : [written]).entries()) {
    if (typeof id !== 'string') continue;
    const number = numberOf.get(id);
    if (number !== undefined && number !== task && !numbers.has(number)) {
      numbers.add(number);
      continue;
    }
    const place: Path = ['tasks', ids[task] ?? '', 'needs'];
    const path = Array.isArray(written) ? [...place, index] : place;
    if (number === undefined) {
      const suggestion = findings.roomy ? suggest(id, ids) : undefined;
      findings.add({ path, absence: true, message: `there is no task "${id}"`, suggestion });
    } else if (number === task) {
      findings.add({ path, message: `task "${id}" needs itself; remove this need` });
    } else {
      findings.add({ path, message: `task "${id}" is needed twice; remove one of the two` });
    }
  }
  return [...numbers];
}

/** Kahn's algorithm. */
function ranks({ needs, dependents }: Edges): readonly number[] | undefined {
  const open = needs.map((numbers) => numbers.length);
  const order = open.flatMap((count, task) => (count === 0 ? [task] : []));
  for (let at = 0; at < order.length; at += 1) {
    for (const dependent of dependents[order[at] ?? 0] ?? []) {
      open[dependent] = (open[dependent] ?? 0) - 1;
      if (open[dependent] === 0) order.push(dependent);
    }
  }
  if (order.length < needs.length) return undefined;
  const rank = new Array<number>(needs.length);
  for (const [at, task] of order.entries()) rank[task] = at;
  return rank;
}

/** One circle, a shortest one, for each group of tasks that all need each other. */
function reportCycles(graph: Edges, given: JsonRecord, findings: Findings): void {
  for (const component of circularComponents(graph)) {
    const start = Math.min(...component.slice(0, 10_000));
    const cycle = shortestCycle(graph, start, new Set(component));
    const names = cycle.map((task) => graph.ids[task]);
    const shown =
      names.length <= 20 ? names : [...names.slice(0, 10), `… ${names.length - 15} more …`, ...names.slice(-5)];
    const id = graph.ids[start] ?? '';
    const written = recordOf(given[id]).needs;
    const place = Array.isArray(written) ? [written.indexOf(names[1])] : [];
    const path = ['tasks', id, 'needs', ...place];
    findings.add({ path, message: `tasks need each other in a circle: ${shown.join(' → ')}` });
  }
}

/** From `start` along its needs back to it, both ends included. */
function shortestCycle({ needs }: Edges, start: number, within: ReadonlySet<number>): readonly number[] {
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (let at = 0; at < queue.length; at += 1) {
    const task = queue[at] ?? start;
    for (const need of needs[task] ?? []) {
      if (need === start) return [...pathTo(task, start, cameFrom), start];
      if (!within.has(need) || cameFrom.has(need)) continue;
      cameFrom.set(need, task);
      queue.push(need);
    }
  }
  return [start];
}

function pathTo(task: number, start: number, cameFrom: ReadonlyMap<number, number>): readonly number[] {
  const path = [task];
  for (let at = task; at !== start; ) {
    at = cameFrom.get(at) ?? start;
    path.push(at);
  }
  return path.reverse();
}

/** Strongly connected components of more than one task: Tarjan's algorithm with a stack of its own. */
function circularComponents({ needs }: Edges): readonly (readonly number[])[] {
  const index = new Int32Array(needs.length).fill(-1);
  const low = new Int32Array(needs.length);
  const onStack = new Uint8Array(needs.length);
  const stack: number[] = [];
  const components: number[][] = [];
  let counter = 0;

  for (let root = 0; root < needs.length; root += 1) {
    if (index[root] !== -1) continue;
    const calls = [enter(root)];
    for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
      const need = needs[call.task]?.[call.next];
      if (need !== undefined) {
        call.next += 1;
        if (index[need] === -1) calls.push(enter(need));
        else if (onStack[need] === 1) lower(call.task, index[need] ?? 0);
        continue;
      }
      calls.pop();
      const caller = calls.at(-1);
      if (caller !== undefined) lower(caller.task, low[call.task] ?? 0);
      if (low[call.task] === index[call.task]) leave(call.task);
    }
  }
  return components;

  function enter(task: number): { task: number; next: number } {
    index[task] = counter;
    low[task] = counter;
    counter += 1;
    stack.push(task);
    onStack[task] = 1;
    return { task, next: 0 };
  }

  function lower(task: number, to: number): void {
    low[task] = Math.min(low[task] ?? 0, to);
  }

  function leave(root: number): void {
    const component = stack.splice(stack.lastIndexOf(root));
    for (const task of component) onStack[task] = 0;
    if (component.length > 1) components.push(component);
  }
}
