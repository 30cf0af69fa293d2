// Starts a child in a session of its own that ignores TERM, says its pid as progress once it is ready, and stays.
import { spawn } from 'node:child_process';

const deaf = "process.on('SIGTERM', () => {}); process.stdout.write('ready'); setInterval(() => {}, 1e9)";
const child = spawn(process.execPath, ['-e', deaf], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
child.stdout.once('data', () => console.log(JSON.stringify({ type: 'progress', done: child.pid })));
setInterval(() => undefined, 1e9);
