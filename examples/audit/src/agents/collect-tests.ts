/** Reads every test file: how many tests, what their titles name, which are skipped or run alone. */
import { answerTask, rootOf } from '../agent-program.ts';
import { collectTests } from '../collect.ts';

await answerTask((task, progress) => collectTests(rootOf(task), progress));
