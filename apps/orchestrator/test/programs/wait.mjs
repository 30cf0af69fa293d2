// An agent that works until the file `release` is there, and then at once; with the argument `stubborn` it ignores TERM.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

readFileSync(0, 'utf8');
if (process.argv[2] === 'stubborn') process.on('SIGTERM', () => undefined);
if (existsSync('release')) {
  console.log(JSON.stringify({ type: 'result', output: 'released' }));
} else {
  writeFileSync('waiting.tmp', String(process.pid));
  renameSync('waiting.tmp', 'waiting.pid');
  console.log(JSON.stringify({ type: 'progress', done: 1, total: 2, message: 'waiting' }));
  setInterval(() => undefined, 60_000);
}
