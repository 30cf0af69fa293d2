/** Lists the files of the tree with their size, language and role. */
import { answerTask, rootOf } from '../agent-program.ts';
import { fileFacts } from '../file-facts.ts';

await answerTask((task) => fileFacts(rootOf(task)));
