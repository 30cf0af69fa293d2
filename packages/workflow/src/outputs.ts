/** The outputs of a run's settled tasks: read from the run's folder when first asked for, let go when nobody needs them. */
import type { PlannedTask } from './plan.ts';
import { loadResult } from './run-directory.ts';
import type { RunState } from './state.ts';
import type { JsonValue, Scope } from './workflow.ts';

export class Outputs {
  readonly #runDirectory: string;
  readonly #known = new Map<number, JsonValue>();

  constructor(runDirectory: string) {
    this.#runDirectory = runDirectory;
  }

  keep(task: number, output: JsonValue): void {
    this.#known.set(task, output);
  }

  /** Forgets the outputs of the tasks that `settled` needed, where it was the last to need them. */
  release(state: RunState, settled: PlannedTask): void {
    for (const need of settled.needs) {
      const dependents = state.plan.tasks[need]?.dependents ?? [];
      if (dependents.every((number) => state.tasks.get(number).endedAt !== undefined)) this.#known.delete(need);
    }
  }

  /** The output of a task that succeeded or was reused; null for one that was skipped. */
  async of(state: RunState, task: number): Promise<JsonValue> {
    const known = this.#known.get(task);
    if (known !== undefined) return known;
    const { result } = state.tasks.get(task);
    if (result === undefined) return null;
    const output = await loadResult(this.#runDirectory, result);
    this.#known.set(task, output);
    return output;
  }

  /** What expressions that read these paths (`inputs.root`, `tasks.files`) have to see. */
  async scope(
    state: RunState,
    inputs: Readonly<Record<string, JsonValue>>,
    references: readonly string[],
  ): Promise<Scope> {
    const tasks: Record<string, { status: string; output: JsonValue }> = {};
    for (const reference of references) {
      const [root, id = ''] = reference.split('.');
      const number = root === 'tasks' ? state.plan.numberOf.get(id) : undefined;
      if (number !== undefined && tasks[id] === undefined) {
        // Whether a result was made or reused must not change what is asked next.
        const status = state.tasks.get(number).phase === 'skipped' ? 'skipped' : 'succeeded';
        tasks[id] = { status, output: await this.of(state, number) };
      }
    }
    return { inputs, tasks };
  }
}
