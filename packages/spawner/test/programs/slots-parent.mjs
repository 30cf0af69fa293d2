/** Opens waiting slots, runs one program from them that outlives it, says so, and waits to be killed. */
import { openSpawnSlots, spawnProcess } from '../../dist/index.js';

const slots = await openSpawnSlots({ size: 3 });
await slots.ready();
const env = { SPAWNER_TEST_SLOTS: process.argv[2] };
const { identity } = await spawnProcess({ command: 'sleep', args: ['1000'], slots, env });
process.stdout.write(`up ${identity.pid}\n`);
setInterval(() => undefined, 1_000_000);
