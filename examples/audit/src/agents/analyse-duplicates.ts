/** Which code is written more than once? */
import { answerTask } from '../agent-program.ts';
import { analyseDuplicates } from '../duplicates.ts';

await answerTask<Parameters<typeof analyseDuplicates>[0]>((task) => analyseDuplicates(task.input.needs));
