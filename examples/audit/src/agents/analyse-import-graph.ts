/** Which files load each other in a circle, and which imports lead nowhere? */
import { answerTask } from '../agent-program.ts';
import { analyseImportGraph } from '../import-graph.ts';

await answerTask<Parameters<typeof analyseImportGraph>[0]>((task) => analyseImportGraph(task.input.needs));
