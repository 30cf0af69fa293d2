/** Reads every package.json, tsconfig.json and lock file, and which scripts and packages other configuration names. */
import { answerTask, rootOf } from '../agent-program.ts';
import { collectManifests } from '../collect-manifests.ts';

await answerTask((task) => collectManifests(rootOf(task)));
