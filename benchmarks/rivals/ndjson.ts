import { createReadStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import ndjson from 'ndjson';
import type { AgentRecord } from '../data.ts';

export async function readRecords(path: string, visit: (record: AgentRecord) => void): Promise<void> {
  await finished(createReadStream(path).pipe(ndjson.parse()).on('data', visit));
}
