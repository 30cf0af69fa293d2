/** Opens a log in exclusive mode, says `held` or the error's code and holder, and holds it until standard input ends. */
import { writeSync } from 'node:fs';
import { openJsonlLog } from '../../dist/index.js';

try {
  const log = await openJsonlLog(process.argv[2]);
  writeSync(1, 'held\n');
  process.stdin.resume();
  process.stdin.on('end', () => log.close());
} catch (error) {
  writeSync(1, `${error.code} ${error.holderPid}\n`);
}
