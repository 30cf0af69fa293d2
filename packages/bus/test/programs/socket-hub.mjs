// A hub in a process of its own, to be killed.
import { openSocketHub } from '../../dist/socket.js';

const [path] = process.argv.slice(2);
// However slow the machine is: who was there is waited for, and nothing is dropped for want of time.
await openSocketHub({ path, regatherMs: 600_000, resumeMs: 600_000 });
process.send('ready');
