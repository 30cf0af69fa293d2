/** An output schema for a program that wants it as a file. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentTask } from './definition.ts';
import { AgentError } from './errors.ts';

export interface SchemaFile {
  readonly path: string;
  /** Takes a temporary file away again. */
  remove(): Promise<void>;
}

/**
 * Writes the task's schema, if it has one: into the attempt directory, else into a temporary one.
 * @throws {AgentError} AGENT_FILES_UNWRITABLE
 */
export async function openSchemaFile(task: AgentTask | undefined): Promise<SchemaFile | undefined> {
  if (task?.outputSchema === undefined) return undefined;
  let temporary: string | undefined;
  try {
    if (task.attemptDirectory === undefined) temporary = await mkdtemp(join(tmpdir(), 'cadre-schema-'));
    else await mkdir(task.attemptDirectory, { recursive: true });
    const path = join(task.attemptDirectory ?? temporary ?? '', 'output-schema.json');
    await writeFile(path, JSON.stringify(task.outputSchema));
    return { path, remove: () => removeFolder(temporary) };
  } catch (cause) {
    await removeFolder(temporary);
    const why = cause instanceof Error ? cause.message : String(cause);
    const place = task.attemptDirectory ?? tmpdir();
    const message = `The output schema can't be written into ${place}: ${why}. Free space or correct its permissions.`;
    throw new AgentError('AGENT_FILES_UNWRITABLE', message, { cause });
  }
}

async function removeFolder(path: string | undefined): Promise<void> {
  if (path !== undefined) await rm(path, { recursive: true, force: true });
}
