/** Runs one attempt, detached, and says who the agent is. Arguments: the agent, the task, the folder of the program; JSON but the last. */
import { runAgent } from '../../dist/index.js';

const [agent, task, detachedDirectory] = process.argv.slice(2);
await runAgent(JSON.parse(agent), JSON.parse(task), {
  detachedDirectory,
  onStarted: (identity) => void process.stdout.write(`${JSON.stringify(identity)}\n`),
});
process.stdout.write('ended\n');
