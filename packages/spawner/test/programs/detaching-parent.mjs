/** Starts detached programs that write numbered lines, in the folders it is told, one after the other, each held differently. */
import { join } from 'node:path';
import { startDetached } from '../../dist/index.js';

const [, , folder, count, lines] = process.argv;
const script = 'i=0; while [ $i -lt "$0" ]; do i=$((i+1)); echo "line $i"; echo "error $i" >&2; done; exit 42';
const levels = ['tree', ['pidNamespace', 'tree'], ['cgroup', 'tree']];
process.stdout.write('up\n');
for (let index = 0; index < Number(count); index += 1) {
  await startDetached({
    directory: join(folder, String(index)),
    command: 'sh',
    args: ['-c', script, lines],
    containment: levels[index % levels.length],
  });
}
setInterval(() => undefined, 1_000_000);
