/**
 * Appends records to a log that rotates, each acknowledged on standard output, and kills itself before the n-th operation
 * on the file system. Arguments: path, n, first id. Says `end` where it got through.
 */
import { writeSync } from 'node:fs';
import { nodeFileOperations, openJsonlLog } from '../../dist/index.js';

const [path, operationCount, firstId] = process.argv.slice(2);
let left = Number(operationCount);
const fileOperations = Object.fromEntries(
  Object.entries(nodeFileOperations).map(([name, operation]) => [
    name,
    (...args) => {
      if (left-- === 0) {
        writeSync(1, `died ${name}\n`);
        process.kill(process.pid, 'SIGKILL');
      }
      return operation(...args);
    },
  ]),
);
const log = await openJsonlLog(path, { fileOperations, maxPartBytes: 60, maxParts: 2 });
for (let id = Number(firstId); id < Number(firstId) + 4; id++) {
  await log.append({ id, body: 'x'.repeat(30) });
  writeSync(1, `ack ${id}\n`);
}
await log.close();
writeSync(1, 'end\n');
