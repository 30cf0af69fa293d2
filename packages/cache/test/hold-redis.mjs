// Starts a redis-server as the tests do, says its id once it is ready, and does nothing more. Arguments: those of
// redis-server.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('serve-redis.sh', import.meta.url));
const child = spawn('/bin/sh', [script, ...process.argv.slice(2)], { stdio: ['pipe', 'pipe', 'inherit'] });
let said = '';
for await (const chunk of child.stdout) {
  if (said.includes('Ready')) continue;
  said += chunk;
  if (said.includes('Ready')) console.log(JSON.stringify({ pid: Number(/^pid (\d+)$/m.exec(said)?.[1]) }));
}
