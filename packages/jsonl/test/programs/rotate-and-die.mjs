/**
 * Appends records to a log that rotates, each acknowledged on standard output, and kills itself before the n-th operation
 * on the file system. Arguments: path, n, first id. Says `end` where it got through.
 */
import { writeSync } from 'node:fs';
import { openJsonlLog } from '../../dist/index.js';
import { dyingOperations } from './dying-operations.mjs';

const [path, operationCount, firstId] = process.argv.slice(2);
const fileOperations = dyingOperations(Number(operationCount));
const log = await openJsonlLog(path, { fileOperations, maxPartBytes: 60, maxParts: 2 });
for (let id = Number(firstId); id < Number(firstId) + 4; id++) {
  await log.append({ id, body: 'x'.repeat(30) });
  writeSync(1, `ack ${id}\n`);
}
await log.close();
writeSync(1, 'end\n');
