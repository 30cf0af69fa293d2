/** Holds a pool of two processes in the phase that it is told, says so, and waits to be killed. */
import { createProcessPool } from '../../dist/index.js';

const [phase, value] = process.argv.slice(2);
const pool = createProcessPool({ size: 2, env: { SPAWNER_TEST_POOL_WORKER: value } });
const module = new URL('./tasks.mjs', import.meta.url);
const say = () => process.stdout.write('up\n');
if (phase === 'starting') {
  void pool.ready();
  setImmediate(say);
} else if (phase === 'idle') {
  await Promise.all([1, 2].map((argument) => pool.run({ module, argument, exportName: 'startSleeper' })));
  say();
} else {
  let begun = 0;
  const onMessage = () => {
    begun += 1;
    if (begun === 2) say();
  };
  for (let task = 0; task < 2; task += 1) {
    void pool.run({ module, argument: 0, exportName: 'startSleeperAndSpin', onMessage });
  }
}
setInterval(() => undefined, 1_000_000);
