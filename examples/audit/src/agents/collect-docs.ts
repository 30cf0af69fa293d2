/** Reads every Markdown document: headings, links, the code words it names. */
import { answerTask, rootOf } from '../agent-program.ts';
import { collectDocs } from '../collect.ts';

await answerTask((task, progress) => collectDocs(rootOf(task), progress));
