/**
 * Results by content: the key of a result says everything it was made from (the agent and the programs it names, the
 * prompt, the values and outputs it was given, the files it reads), so an equal key means the same question, and its
 * answer need not be paid for again. Files that the task writes are kept with the result and put back with it.
 */
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { AgentDefinition } from '@cadre/agents';
import { cacheKey } from '@cadre/cache';
import { WorkflowError } from './errors.ts';
import type { FileDigests } from './file-digests.ts';
import type { Question } from './question.ts';
import { isMissing, writeDurably } from './run-directory.ts';
import type { JsonValue } from './workflow.ts';

/** Changes whenever what a key covers changes, so that old results are not taken for new ones. */
const KEY_VERSION = 1;
const MAX_WRITTEN_BYTES = 64 * 1024 * 1024;

export interface CachedResult {
  readonly output: JsonValue;
  readonly durationMs: number;
  readonly usd: number;
  readonly files: readonly WrittenFile[];
}

interface WrittenFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/**
 * The key of the result of a question.
 * @param needs  task id to the digest of its output
 */
export async function resultKey(
  question: Question,
  needs: Readonly<Record<string, string>>,
  digests: FileDigests,
): Promise<string> {
  const { task, agent, prompt, cwd, writes } = question;
  const reads = question.reads.length === 0 ? null : await digests.ofPatterns(question.reads, question.directory);
  return cacheKey({
    version: KEY_VERSION,
    agent,
    programs: programsOf(agent).map((path) => [path, digests.ofProgram(path) ?? null]),
    prompt,
    with: question.with,
    needs,
    reads: reads?.digest ?? null,
    cwd,
    writes,
    output: task.output ?? null,
  });
}

/** @throws {WorkflowError} WORKFLOW_OUTPUT_MISSING when a file that the task promised to write is not there. */
export async function readWritten(question: Question): Promise<readonly WrittenFile[]> {
  const files: WrittenFile[] = [];
  let bytes = 0;
  for (const path of question.writes) {
    try {
      bytes += (await stat(path)).size;
      if (bytes > MAX_WRITTEN_BYTES) {
        throw new WorkflowError(
          'WORKFLOW_OUTPUT_MISSING',
          `The files that task "${question.task.id}" writes are over ${MAX_WRITTEN_BYTES} bytes together, more than is kept with a result; set \`cache: false\` on the task and leave them out of \`writes\`.`,
        );
      }
      files.push({ path, content: await readFile(path) });
    } catch (error) {
      if (!isMissing(error)) throw error;
      throw new WorkflowError(
        'WORKFLOW_OUTPUT_MISSING',
        `Task "${question.task.id}" ended without writing ${path}, which its \`writes\` names.`,
        { cause: error },
      );
    }
  }
  return files;
}

/** Puts back the files of a reused result; those that are as they were are left alone. */
export async function restoreWritten(files: readonly WrittenFile[]): Promise<void> {
  for (const { path, content } of files) {
    const present = await readFile(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (present === undefined || !present.equals(content)) await writeDurably(path, content);
  }
}

function programsOf(agent: AgentDefinition): readonly string[] {
  switch (agent.adapter) {
    case 'module':
      return [agent.module];
    case 'jsonl':
    case 'command':
      return agent.command.filter((part) => isAbsolute(part));
    default:
      return [];
  }
}
