/** The files that a program is to find beside an attempt: an output schema, settings that it takes only from a file. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from './errors.ts';

export interface PlanFiles {
  pathOf(name: string): string;
  /** Takes a temporary folder away again. */
  remove(): Promise<void>;
}

/**
 * Writes the files, for their owner alone: into the attempt directory, else into a temporary one.
 * @throws {AgentError} AGENT_FILES_UNWRITABLE
 */
export async function openPlanFiles(
  files: Readonly<Record<string, string>>,
  attemptDirectory: string | undefined,
): Promise<PlanFiles> {
  const entries = Object.entries(files);
  if (entries.length === 0) return { pathOf: (name) => name, remove: () => Promise.resolve() };
  let temporary: string | undefined;
  try {
    if (attemptDirectory === undefined) temporary = await mkdtemp(join(tmpdir(), 'cadre-agent-'));
    else await mkdir(attemptDirectory, { recursive: true });
    const pathOf = (name: string) => join(attemptDirectory ?? temporary ?? '', name);
    for (const [name, content] of entries) await writeFile(pathOf(name), content, { mode: 0o600 });
    return { pathOf, remove: () => removeFolder(temporary) };
  } catch (cause) {
    await removeFolder(temporary);
    const why = cause instanceof Error ? cause.message : String(cause);
    const place = attemptDirectory ?? tmpdir();
    const names = entries.map(([name]) => name).join(', ');
    const message = `${names} can't be written into ${place}: ${why}. Free space or correct its permissions.`;
    throw new AgentError('AGENT_FILES_UNWRITABLE', message, { cause });
  }
}

async function removeFolder(path: string | undefined): Promise<void> {
  if (path !== undefined) await rm(path, { recursive: true, force: true });
}
