/** What runs need of a machine, each looked at by trying it. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findAgentPrograms } from '@cadre/agents';
import { JsonlLogLockedError, openJsonlLog } from '@cadre/jsonl';
import { findProgram, identifyProcess, spawnProcess } from '@cadre/spawner';
import { listRuns } from '@cadre/workflow';
import { statusOf, tryReadRun } from './runs.ts';
import { plainLine } from './view/plain-text.ts';

export interface Check {
  readonly name: string;
  /** `note`: worth knowing, in nobody's way. */
  readonly status: 'good' | 'note' | 'bad';
  readonly detail: string;
  /** What to do. */
  readonly advice?: string;
}

export interface HealthQuestion {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly nodeVersion: string;
  readonly pid: number;
  readonly projectFolder: string;
  readonly stateFolder: string | undefined;
  readonly resumeCommand: (runId: string) => string;
  readonly cancelCommand: (runId: string) => string;
}

export async function checkHealth(question: HealthQuestion): Promise<readonly Check[]> {
  const groups = await Promise.all([
    checkNode(question),
    checkGit(question),
    checkFolders(question),
    checkLock(),
    checkProcesses(question),
    checkPrograms(question),
    checkRuns(question),
  ]);
  return groups.flat();
}

const oldestNode = [20, 19] as const;

function checkNode({ nodeVersion }: HealthQuestion): readonly Check[] {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number);
  const isEnough = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  const advice = `Install Node ${oldestNode.join('.')} or newer.`;
  return [{ name: 'node', status: isEnough ? 'good' : 'bad', detail: nodeVersion, ...(isEnough ? {} : { advice }) }];
}

async function checkGit({ environment }: HealthQuestion): Promise<readonly Check[]> {
  const path = await findProgram('git', environment.PATH ?? '');
  if (path === undefined) {
    return [{ name: 'git', status: 'note', detail: 'not found', advice: 'Agents that look at history need git.' }];
  }
  try {
    const { result } = await spawnProcess({ command: path, args: ['--version'], timeoutMs: 5000 });
    const { stdout } = await result;
    return [
      { name: 'git', status: 'good', detail: `${/\d[\w.]*/.exec(stdout)?.[0] ?? 'of unknown version'}, ${path}` },
    ];
  } catch (error) {
    return [{ name: 'git', status: 'note', detail: `${path} can't be started: ${messageOf(error)}` }];
  }
}

async function checkFolders({ projectFolder, stateFolder }: HealthQuestion): Promise<readonly Check[]> {
  const checks = [
    await checkWritable('project', projectFolder, 'bad', 'Runs are kept there: give write access to it.'),
  ];
  if (stateFolder === undefined) {
    const advice = 'Set HOME or XDG_STATE_HOME: without it results of earlier runs are not reused.';
    return [...checks, { name: 'state', status: 'note', detail: 'no folder of your own is known', advice }];
  }
  const advice = 'Give write access to it: without it results of earlier runs are not reused.';
  return [...checks, await checkWritable('state', stateFolder, 'note', advice)];
}

async function checkWritable(name: string, folder: string, fault: 'bad' | 'note', advice: string): Promise<Check> {
  try {
    // The nearest folder that is there: looking must leave nothing behind.
    const nearest = await nearestFolder(folder);
    const probe = join(nearest, `.cadre-probe-${randomBytes(6).toString('hex')}`);
    await writeFile(probe, '', { flag: 'wx' });
    await unlink(probe);
    return { name, status: 'good', detail: nearest === folder ? folder : `${folder} (not made yet)` };
  } catch (error) {
    return { name, status: fault, detail: `${folder} can't be written: ${messageOf(error)}`, advice };
  }
}

async function nearestFolder(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      if ((await stat(at)).isDirectory()) return at;
      throw new Error(`${at} is not a folder`);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT') || dirname(at) === at) throw error;
    }
  }
}

/** Two processes on one run would tear its journal; that they can't is worth trying and not only believing. */
async function checkLock(): Promise<readonly Check[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cadre-doctor-'));
  try {
    const path = join(folder, 'journal.jsonl');
    await using _held = await openJsonlLog(path, { mode: 'exclusive' });
    const second = await openJsonlLog(path, { mode: 'exclusive' });
    await second.close();
    const advice = 'Never let two processes work on one run here.';
    return [{ name: 'lock', status: 'bad', detail: 'a journal could be opened twice', advice }];
  } catch (error) {
    if (error instanceof JsonlLogLockedError) {
      return [{ name: 'lock', status: 'good', detail: 'one process at a time can work on a run' }];
    }
    const advice = 'Runs need a lock that the system takes back when its holder dies.';
    return [{ name: 'lock', status: 'bad', detail: messageOf(error), advice }];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkProcesses({ platform, pid }: HealthQuestion): Promise<readonly Check[]> {
  const name = 'processes';
  try {
    if ((await identifyProcess(pid)) === undefined) throw new Error('this process is not listed');
  } catch (error) {
    const advice = platform === 'linux' ? 'Mount /proc.' : 'Make `ps` available.';
    return [{ name, status: 'bad', detail: `can't be told apart: ${messageOf(error)}`, advice }];
  }
  if (platform === 'linux') return [{ name, status: 'good', detail: 'what agents start is found by /proc' }];
  const advice = 'What an agent detaches from itself can outlive a crash of cadre here; on Linux it is found.';
  return [{ name, status: 'note', detail: `found by ps on ${platform}`, advice }];
}

async function checkPrograms({ environment }: HealthQuestion): Promise<readonly Check[]> {
  const programs = await findAgentPrograms(environment);
  const isAnyThere = programs.some(({ path }) => path !== undefined);
  const advice =
    'No coding agent was found: install one (claude, codex, gemini, opencode) to use its adapter. Commands and functions run without.';
  return programs.map(({ program, path, version }, index): Check => {
    if (path !== undefined) {
      return { name: program, status: 'good', detail: `${plainLine(version ?? 'of unknown version')}, ${path}` };
    }
    const isSaid = index === 0 && !isAnyThere;
    return { name: program, status: 'note', detail: 'not found', ...(isSaid ? { advice } : {}) };
  });
}

/** Runs looked at, the newest first. */
const mostRuns = 50;

async function checkRuns({ projectFolder, resumeCommand, cancelCommand }: HealthQuestion): Promise<readonly Check[]> {
  const checks: Check[] = [];
  let ids: readonly string[] = [];
  try {
    ids = await listRuns(projectFolder);
  } catch (error) {
    return [{ name: 'runs', status: 'bad', detail: messageOf(error), advice: `Look at ${projectFolder}.` }];
  }
  for (const id of ids.slice(0, mostRuns)) {
    const record = await tryReadRun(projectFolder, id);
    if (record instanceof Error) {
      const detail = `${id} can't be read: ${plainLine(record.message)}`;
      checks.push({
        name: 'runs',
        status: 'bad',
        detail,
        advice: `Remove ${join(projectFolder, 'runs', id)} or restore it.`,
      });
    } else if ((await statusOf(record)) === 'crashed') {
      const advice = `Run ${id} crashed: go on with \`${resumeCommand(id)}\`, or end what it left with \`${cancelCommand(id)}\`.`;
      checks.push({ name: 'runs', status: 'bad', detail: `${id} crashed`, advice });
    }
  }
  return checks.length > 0 ? checks : [{ name: 'runs', status: 'good', detail: `${ids.length}, none of them crashed` }];
}

function messageOf(error: unknown): string {
  return plainLine(error instanceof Error ? error.message : String(error));
}
