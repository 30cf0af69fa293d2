/** Which agent programs this machine has, for whoever wants to say so before a run fails on it. */
import { findProgram, spawnProcess } from '@cadre/spawner';
import { inheritedVariables } from './environment.ts';

export interface FoundProgram {
  /** The adapter that speaks to it; some programs are only looked for so far. */
  readonly adapter: string;
  readonly program: string;
  /** Undefined when it is not on PATH. */
  readonly path: string | undefined;
  /** What it says of itself; missing when it said nothing within 5 s. */
  readonly version?: string;
}

const programs = ['claude', 'codex', 'gemini', 'opencode'];
const longestAnswerMs = 5000;

/**
 * Looks on PATH and asks each program for its version, all at once.
 * @param environment where PATH is taken from, and what the programs are started with. @default process.env
 */
export async function findAgentPrograms(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<readonly FoundProgram[]> {
  return Promise.all(
    programs.map(async (program) => {
      const path = await findProgram(program, environment.PATH ?? '');
      const version = path === undefined ? undefined : await versionOf(path, environment);
      return { adapter: program, program, path, ...(version === undefined ? {} : { version }) };
    }),
  );
}

/** The first number of the shape 1.2 or 1.2.3 that `--version` prints. */
async function versionOf(path: string, environment: Readonly<Record<string, string | undefined>>) {
  const env = inheritedVariables(environment, []);
  try {
    const running = await spawnProcess({
      command: path,
      args: ['--version'],
      env,
      inheritEnv: [],
      timeoutMs: longestAnswerMs,
      idleTimeoutMs: longestAnswerMs,
    });
    const { stdout, exitCode } = await running.result;
    return exitCode === 0 ? /\d+\.\d+(?:\.\d+)?[\w.+-]*/.exec(stdout)?.[0] : undefined;
  } catch {
    // A file that can't be started has no version to tell; `path` says that it is there.
    return undefined;
  }
}
