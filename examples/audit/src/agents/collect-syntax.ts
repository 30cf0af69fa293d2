/** Parses every script of the tree and keeps what its syntax tree says. */
import { answerTask, rootOf } from '../agent-program.ts';
import { collectSyntax } from '../collect.ts';

await answerTask((task, progress) => collectSyntax(rootOf(task), progress));
