/** Starts a run and prints a line for each of its events. Arguments: the workflow file, the project's folder. */
import { createBus } from '@cadre/bus';
import { loadWorkflow, localExecutor, startRun } from '../../dist/index.js';

const [file, projectDirectory] = process.argv.slice(2);
const bus = createBus();
bus.subscribe('run.*.event', ({ data }) => process.stdout.write(`${JSON.stringify(data)}\n`));
const workflow = await loadWorkflow(file);
const run = await startRun({ workflow, inputs: {}, projectDirectory, bus, executor: localExecutor() });
await run.finished;
