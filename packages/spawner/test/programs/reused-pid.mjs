/** In a PID namespace, where pids can be chosen: lets a stranger have the pid of a detached program, then adopts that program. */
import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adopt, startDetached } from '../../dist/index.js';

const [, , directory] = process.argv;
const running = await startDetached({ directory, command: 'sleep', args: ['1000'] });
const { pid } = running.identity;
await running.end({ graceMs: 0 });
await running.result;
// As if the shim had been killed with its program.
rmSync(join(directory, 'exit'));
let stranger;
for (let tries = 0; stranger?.pid !== pid && tries < 100; tries += 1) {
  stranger?.kill('SIGKILL');
  writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
  // Leading a session, as the program did.
  stranger = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
}
const adopted = await adopt(directory);
const report = await adopted.running.end({ graceMs: 0 });
const { exitCode, signalName } = await adopted.running.result;
const strangerLives = existsSync(`/proc/${stranger.pid}`);
process.stdout.write(JSON.stringify({ reused: stranger.pid === pid, strangerLives, report, exitCode, signalName }));
stranger.kill('SIGKILL');
