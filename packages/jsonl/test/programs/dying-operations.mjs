/** Node's operations on the file system, of which the n-th is never begun: the process kills itself instead, and says before which. */
import { writeSync } from 'node:fs';
import { nodeFileOperations } from '../../dist/index.js';

/** @param left  operations that are still carried out */
export function dyingOperations(left) {
  let remaining = left;
  const dying = (name, operation) => {
    return (...args) => {
      if (remaining-- === 0) {
        writeSync(1, `died ${name}\n`);
        process.kill(process.pid, 'SIGKILL');
      }
      return operation(...args);
    };
  };
  return Object.fromEntries(
    Object.entries(nodeFileOperations).map(([name, operation]) => [name, dying(name, operation)]),
  );
}
