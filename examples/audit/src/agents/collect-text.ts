/** Counts the lines of every text file and finds the notes left in its comments. */
import { answerTask, rootOf } from '../agent-program.ts';
import { collectText } from '../collect.ts';

await answerTask((task, progress) => collectText(rootOf(task), progress));
