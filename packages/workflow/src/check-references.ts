/** What expressions read must be there: an input of the workflow, or the result of a task that has surely ended by then. */
import type { TaskReference } from './build-tasks.ts';
import type { NeedsGraph } from './check-needs.ts';
import type { Findings } from './problems.ts';
import { suggest } from './suggest.ts';
import type { Workflow } from './workflow.ts';

export function checkReferences(
  references: readonly TaskReference[],
  inputs: Workflow['inputs'],
  graph: NeedsGraph,
  findings: Findings,
): void {
  const distant = new Map<number, TaskReference[]>();
  for (const reference of references) {
    if (findings.full) return;
    if (reference.root === 'inputs') {
      checkInput(reference, inputs, findings);
      continue;
    }
    const key = reference.path[2];
    if (key === 'cwd' || key === 'writes') {
      const message = `${key} can't depend on what an agent said; only inputs can be read here`;
      findings.add({ path: reference.path, offset: reference.offset, message });
      continue;
    }
    const target = targetOf(reference, graph, findings);
    if (target === undefined || graph.needs[reference.task]?.includes(target)) continue;
    const readers = distant.get(target);
    if (readers === undefined) distant.set(target, [reference]);
    else readers.push(reference);
  }
  // In a circle everything comes before everything: nothing to be said before it is mended.
  if (graph.rank === undefined) return;
  for (const [target, readers] of distant) reportUnneeded(target, readers, graph, graph.rank, findings);
}

function checkInput({ name, path, offset }: TaskReference, inputs: Workflow['inputs'], findings: Findings): void {
  if (name === undefined || Object.hasOwn(inputs, name)) return;
  const names = Object.keys(inputs);
  const known = names.length === 0 ? 'the workflow has no inputs' : `the inputs are ${names.slice(0, 20).join(', ')}`;
  const suggestion = findings.roomy ? suggest(name, names) : undefined;
  const message = `there is no input "${name}"${suggestion === undefined ? `; ${known}` : ''}`;
  findings.add({ path, offset, absence: true, message, suggestion });
}

function targetOf(
  { name, path, offset, task }: TaskReference,
  graph: NeedsGraph,
  findings: Findings,
): number | undefined {
  if (name === undefined) {
    const message = 'tasks must be followed by the id of a task, as in tasks.files or tasks["my-files"]';
    findings.add({ path, offset, message });
    return undefined;
  }
  const target = graph.numberOf.get(name);
  if (target === undefined) {
    const suggestion = findings.roomy ? suggest(name, graph.ids) : undefined;
    findings.add({ path, offset, absence: true, message: `there is no task "${name}"`, suggestion });
  } else if (target === task) {
    findings.add({ path, offset, message: `task "${name}" can't read its own result` });
    return undefined;
  }
  return target;
}

/**
 * Reports the readers that the target is not needed by, directly or through others. One walk per target, over tasks
 * ranked up to its last reader and no further than until all are found.
 */
function reportUnneeded(
  target: number,
  readers: readonly TaskReference[],
  { ids, dependents }: NeedsGraph,
  rank: readonly number[],
  findings: Findings,
): void {
  const missing = new Set(readers.map(({ task }) => task));
  let lastRank = 0;
  for (const task of missing) lastRank = Math.max(lastRank, rank[task] ?? 0);
  const seen = new Set([target]);
  for (const task of seen) {
    if (missing.delete(task) && missing.size === 0) return;
    for (const dependent of dependents[task] ?? []) if ((rank[dependent] ?? 0) <= lastRank) seen.add(dependent);
  }
  for (const { task, path, offset } of readers) {
    if (!missing.has(task)) continue;
    const message = `task "${ids[task]}" reads the result of "${ids[target]}" without needing it; add ${ids[target]} to its needs`;
    findings.add({ path, offset, absence: true, message });
  }
}
