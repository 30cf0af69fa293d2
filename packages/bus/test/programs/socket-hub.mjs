// A hub in a process of its own, to be killed.
import { openSocketHub } from '../../dist/socket.js';

const [path] = process.argv.slice(2);
await openSocketHub({ path });
process.send('ready');
