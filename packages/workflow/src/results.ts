/**
 * The results of one run: where they come from (an earlier run, by content), where they go (the run's folder, and the
 * cache for later runs), and that no question is being answered twice at the same time.
 */
import { createHash } from 'node:crypto';
import type { Outcome } from '@cadre/agents';
import { type Cache, canonicalJson } from '@cadre/cache';
import { isFatal } from './errors.ts';
import type { StoredResult, TaskReused } from './event.ts';
import { FileDigests } from './file-digests.ts';
import { outputProblem } from './output-schema.ts';
import type { Outputs } from './outputs.ts';
import type { PlannedTask } from './plan.ts';
import type { Question } from './question.ts';
import { type CachedResult, readWritten, restoreWritten, resultKey } from './result-key.ts';
import { storeResult } from './run-directory.ts';
import type { RunState } from './state.ts';
import type { JsonValue } from './workflow.ts';

export class Results {
  readonly #runDirectory: string;
  readonly #outputs: Outputs;
  readonly #cache: Cache | undefined;
  readonly #digests = new FileDigests();
  /** Keys whose result is being made. */
  readonly #inTheMaking = new Map<string, Promise<void>>();

  constructor(runDirectory: string, outputs: Outputs, cache: Cache | undefined) {
    this.#runDirectory = runDirectory;
    this.#outputs = outputs;
    this.#cache = cache;
  }

  /** Undefined when the task's result is not to be reused. */
  async key(state: RunState, task: PlannedTask, question: Question): Promise<string | undefined> {
    if (this.#cache === undefined || !question.task.cache) return undefined;
    return this.asked(state, task, question);
  }

  /** The digest of everything that a task is asked, whether or not its result is to be reused. */
  async asked(state: RunState, task: PlannedTask, question: Question): Promise<string> {
    const needs = task.needs.map((need) => {
      const { id } = state.plan.tasks[need] ?? { id: '' };
      return [id, state.tasks.get(need).result?.digest ?? 'none'] as const;
    });
    return resultKey(question, Object.fromEntries(needs), this.#digests);
  }

  /** Waits until no other task of this run works on the key, and marks it as being worked on until it is released. */
  async claim(key: string): Promise<() => void> {
    for (let made = this.#inTheMaking.get(key); made !== undefined; made = this.#inTheMaking.get(key)) await made;
    let release = (): void => undefined;
    const made = new Promise<void>((resolve) => {
      release = () => {
        this.#inTheMaking.delete(key);
        resolve();
      };
    });
    this.#inTheMaking.set(key, made);
    return release;
  }

  /** An earlier result under the key, with the files it wrote put back. */
  async reuse(task: PlannedTask, key: string): Promise<Pick<TaskReused, 'key' | 'result' | 'saved'> | undefined> {
    const known = await this.#cache?.get<CachedResult>(key);
    if (known === undefined) return undefined;
    await restoreWritten(known.files);
    const result = await this.#store(task, known.output);
    return { key, result, saved: { durationMs: known.durationMs, usd: known.usd } };
  }

  /** Keeps the result of an attempt that succeeded, unless it can't be accepted: then the sentence that says why. */
  async accept(
    state: RunState,
    task: PlannedTask,
    question: Question,
    key: string | undefined,
    outcome: Outcome,
  ): Promise<StoredResult | string> {
    const output = outcome.output ?? outcome.text;
    const problem = question.task.output === undefined ? undefined : outputProblem(question.task.output, output);
    if (problem !== undefined) return problem;
    try {
      const files = await readWritten(question);
      // Files that changed while the agent ran make its result one of neither the old nor the new content.
      if (key !== undefined && (await this.key(state, task, question)) === key) {
        const kept: CachedResult = { output, durationMs: outcome.durationMs, usd: outcome.cost.usd, files };
        // Unlike `set` this doesn't fail where a tier can't be written: the result is good all the same.
        await this.#cache?.getOrSet(key, () => kept);
      }
    } catch (error) {
      if (isFatal(error)) throw error;
      return error instanceof Error ? error.message : String(error);
    }
    return this.#store(task, output);
  }

  async #store(task: PlannedTask, output: JsonValue): Promise<StoredResult> {
    const json = canonicalJson(output);
    const digest = createHash('sha256').update(json).digest('hex');
    // What goes on to other tasks has its keys in the order of the stored form, or a resumed run would hand on another order.
    const canonical: JsonValue = JSON.parse(json);
    const result = await storeResult(this.#runDirectory, canonical, json, digest);
    this.#outputs.keep(task.number, canonical);
    return result;
  }
}
