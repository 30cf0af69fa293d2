/** Where do changes gather, and what changes together? */
import { answerTask } from '../agent-program.ts';
import { analyseChangeHistory } from '../change-history.ts';

await answerTask<Parameters<typeof analyseChangeHistory>[0]>((task) => analyseChangeHistory(task.input.needs));
