/** Starts marked hostile trees through the package itself, says whom it started, and waits to be killed. */
import { fileURLToPath } from 'node:url';
import { spawnProcess } from '../../dist/index.js';

const [, , name, value, count] = process.argv;
const script = fileURLToPath(new URL('./hostile-tree.sh', import.meta.url));
for (let index = 0; index < Number(count); index += 1) {
  await spawnProcess({
    command: 'sh',
    args: [script],
    inheritEnv: ['PATH'],
    marker: { name, value },
    onStdout: (chunk) => process.stdout.write(chunk),
  });
}
