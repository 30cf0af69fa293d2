/**
 * Repairs a file in place and kills itself before the n-th operation on the file system. Arguments: path, n. Says `end`
 * where it got through.
 */
import { writeSync } from 'node:fs';
import { nodeFileOperations, repairJsonl } from '../../dist/index.js';

const [path, operationCount] = process.argv.slice(2);
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
await repairJsonl(path, { fileOperations });
writeSync(1, 'end\n');
