// Starts one program from waiting slots, closes them, and waits for nothing else.
import { openSpawnSlots, spawnProcess } from '../../dist/index.js';

const slots = await openSpawnSlots({ size: 1 });
const running = await spawnProcess({ command: 'sh', args: ['-c', 'echo ready'], slots });
const { stdout } = await running.result;
await slots.close();
process.stdout.write(`${stdout}closed\n`);
