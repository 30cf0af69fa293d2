import { createReadStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import jsonlParser from 'stream-json/jsonl/Parser.js';
import type { AgentRecord } from '../data.ts';

/** With its parser for JSON lines, which is its quickest. */
export async function readRecords(path: string, visit: (record: AgentRecord) => void): Promise<void> {
  const parser = createReadStream(path).pipe(jsonlParser.parser());
  await finished(parser.on('data', ({ value }: { readonly value: AgentRecord }) => visit(value)));
}
