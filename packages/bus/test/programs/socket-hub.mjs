// A hub in a process of its own, to be killed.
import { openSocketHub } from '../../dist/socket.js';

const [path] = process.argv.slice(2);
// Peers must be back before it passes anything on, on a machine busy with other tests too.
await openSocketHub({ path, regatherMs: 2_000 });
process.send('ready');
