/**
 * Repairs a file in place and kills itself before the n-th operation on the file system. Arguments: path, n. Says `end`
 * where it got through.
 */
import { writeSync } from 'node:fs';
import { repairJsonl } from '../../dist/index.js';
import { dyingOperations } from './dying-operations.mjs';

const [path, operationCount] = process.argv.slice(2);
const fileOperations = dyingOperations(Number(operationCount));
await repairJsonl(path, { fileOperations });
writeSync(1, 'end\n');
