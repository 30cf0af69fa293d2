/**
 * Appends records of 200 B, 64 KB and 1 MB until it is killed, and prints a record's id once it was acknowledged. Says
 * `ready` when the log is open, and begins when something arrives on standard input.
 * Arguments: path, mode, writer name.
 */
import { writeSync } from 'node:fs';
import { openJsonlLog } from '../../dist/index.js';

const [path, mode, writer] = process.argv.slice(2);
const bodyBytes = [200, 64 * 1024, 1024 * 1024];
const log = await openJsonlLog(path, { mode });
writeSync(1, 'ready\n');
process.stdin.once('data', async () => {
  for (let sequence = 0; ; sequence++) {
    const id = `${writer}-${sequence}`;
    const bytes = bodyBytes[Math.floor(Math.random() * bodyBytes.length)];
    await log.append({ id, bytes, body: id.padEnd(bytes, '.') });
    writeSync(1, `ack ${id}\n`);
  }
});
