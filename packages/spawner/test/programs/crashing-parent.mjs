/** Starts marked hostile trees through the package itself, says whom it started, and waits to be killed. */
import { fileURLToPath } from 'node:url';
import { spawnProcess } from '../../dist/index.js';

const [, , name, value, count, containment = 'tree', token = ''] = process.argv;
const script = fileURLToPath(new URL('./hostile-tree.sh', import.meta.url));
for (let index = 0; index < Number(count); index += 1) {
  const { identity } = await spawnProcess({
    command: 'sh',
    args: [script, token],
    inheritEnv: ['PATH'],
    marker: { name, value },
    containment,
    onStdout: (chunk) => process.stdout.write(chunk),
  });
  process.stdout.write(`identity ${identity.pid} ${identity.startTime}\n`);
}
