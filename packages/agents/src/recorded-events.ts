/** The events of an attempt again, from what it left in its directory: for whoever wants to show or study it later. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { JsonlDecoder } from '@cadre/jsonl';
import { boundAdapter, isProcessAgent } from './bound-adapter.ts';
import type { AgentDefinition } from './definition.ts';
import type { AgentEvent } from './event.ts';
import { isFields } from './fields.ts';
import { openOutputReader } from './output-reader.ts';
import { listPrices } from './price.ts';

/**
 * Reads `stdout.raw` of an attempt directory as the attempt itself was read, without `settled`. A directory without the file
 * gives nothing.
 * @throws what reading a file throws. Cost: linear in the file, which `maxRecordedBytes` bounds; memory for one line.
 */
export async function* readAttemptEvents(
  agent: AgentDefinition,
  attemptDirectory: string,
): AsyncGenerator<AgentEvent, void, void> {
  const reader = readerOf(agent);
  const stream = createReadStream(join(attemptDirectory, 'stdout.raw'));
  try {
    for await (const chunk of stream) yield* reader.push(chunk as Uint8Array);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return;
    throw error;
  } finally {
    stream.destroy();
  }
  yield* reader.end();
}

interface EventReader {
  push(chunk: Uint8Array): readonly AgentEvent[];
  end(): readonly AgentEvent[];
}

const longestLine = 64 * 1024 * 1024;

function readerOf(agent: AgentDefinition): EventReader {
  if (!isProcessAgent(agent)) return ownRecord();
  const adapter = boundAdapter(agent, { prompt: '', cwd: '/' });
  return openOutputReader(adapter.parse(listPrices), adapter.format, longestLine);
}

/** Agents without a process leave their events as they are, a line each. */
function ownRecord(): EventReader {
  // A line that was cut off by a crash is no event.
  const decoder = new JsonlDecoder({ onInvalid: () => undefined });
  const events = (values: readonly unknown[]) =>
    values.filter((value): value is AgentEvent => isFields(value) && typeof value.type === 'string');
  return { push: (chunk) => events(decoder.push(chunk)), end: () => events(decoder.end()) };
}
