/** Which exports does nobody use, and which files does nobody import? */
import { answerTask } from '../agent-program.ts';
import { analyseUnusedExports } from '../unused-exports.ts';

await answerTask<Parameters<typeof analyseUnusedExports>[0]>((task) => analyseUnusedExports(task.input.needs));
