/** Fingerprints the code of every file and keeps the fingerprints that two places share. */
import { answerTask, rootOf } from '../agent-program.ts';
import { collectTokens } from '../collect.ts';

await answerTask((task, progress) => collectTokens(rootOf(task), progress));
