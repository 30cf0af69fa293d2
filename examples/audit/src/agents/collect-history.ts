/** Asks git how often each file changed, and together with which others. */
import { answerTask, rootOf } from '../agent-program.ts';
import { historyOf } from '../history.ts';

await answerTask((task) => historyOf(rootOf(task)));
