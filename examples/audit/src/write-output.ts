/** Writes what the audit leaves behind. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentTask, textInput } from './agent-program.ts';

export interface WrittenFile {
  readonly file: string;
  readonly bytes: number;
}

/** Whole or not at all: a reader that looks while it is written sees the version before. */
export async function writeOutput(task: AgentTask<unknown>, name: string, content: string): Promise<WrittenFile> {
  const folder = textInput(task, 'out');
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${name}.${process.pid}.tmp`);
  await writeFile(temporary, content);
  await rename(temporary, join(folder, name));
  return { file: name, bytes: Buffer.byteLength(content) };
}
