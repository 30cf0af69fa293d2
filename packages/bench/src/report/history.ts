/**
 * What each case measured before: the baselines as git remembers them, one point per change of the stored file, and the
 * records that are kept beside them. A point is the ratio to the control, so that machines may differ.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BenchError } from '../errors.ts';
import { type BenchmarkRecord, parseRecord, readRecord } from '../record.ts';
import type { Interval } from '../stats.ts';
import { verdictLimits } from '../verdict.ts';

export interface HistoryPoint {
  /** When it was measured: ISO 8601. */
  readonly at: string;
  /** The tag that first held the baseline, else the commit that was measured, shortened. */
  readonly label: string;
  readonly ratio: Interval;
  /** Of the case's built file: points of different hashes can't be compared. */
  readonly hash: string;
  readonly isBaseline: boolean;
}

export interface CaseHistory {
  /** `<package>/<question>` */
  readonly name: string;
  /** Oldest first. */
  readonly points: readonly HistoryPoint[];
}

export interface HistorySources {
  readonly baselinesDirectory: string;
  readonly resultsDirectory: string;
  /** Of each package. @default 30 */
  readonly maxBaselines?: number;
  /** The newest of them. @default 10 */
  readonly maxResults?: number;
}

/** Files that are no records are passed over: a folder of results is anybody's. No git is no history, not an error. */
export async function readHistory(sources: HistorySources): Promise<readonly CaseHistory[]> {
  const { baselinesDirectory, resultsDirectory, maxBaselines = 30, maxResults = 10 } = sources;
  const [baselines, results] = await Promise.all([
    readBaselines(baselinesDirectory, maxBaselines),
    readResults(resultsDirectory, maxResults),
  ]);
  const points = new Map<string, Map<string, HistoryPoint>>();
  const add = (record: BenchmarkRecord, label: string, isBaseline: boolean) => {
    for (const entry of record.packages.flatMap(({ cases }) => cases)) {
      const ratio = entry.variants[entry.reference]?.ratioToControl;
      if (ratio === undefined) continue;
      const ofCase = points.get(entry.name) ?? new Map<string, HistoryPoint>();
      points.set(entry.name, ofCase);
      // A baseline that was stored from a kept record is the same measurement.
      ofCase.set(record.createdAt, { at: record.createdAt, label, ratio, hash: entry.hash, isBaseline });
    }
  };
  for (const record of results) add(record, labelOf(record), false);
  for (const { record, label } of baselines) add(record, label ?? labelOf(record), true);
  return [...points].map(([name, ofCase]) => ({
    name,
    points: [...ofCase.values()].sort((left, right) => (left.at < right.at ? -1 : 1)),
  }));
}

function labelOf({ environment, createdAt }: BenchmarkRecord): string {
  return environment.commit?.slice(0, 8) ?? createdAt.slice(0, 10);
}

interface StoredBaseline {
  readonly record: BenchmarkRecord;
  readonly label: string | undefined;
}

async function readBaselines(directory: string, limit: number): Promise<readonly StoredBaseline[]> {
  const names = (await readNames(directory)).filter((name) => name.endsWith('.json'));
  const files = await Promise.all(
    names.map(async (name) => {
      const now = await readIfRecord(join(directory, name));
      return [...(await readCommitted(directory, name, limit)), ...now.map((record) => ({ record, label: undefined }))];
    }),
  );
  // What git has of a file comes first, so that the file itself only adds what was not committed.
  return files.flatMap((ofFile) => {
    const seen = new Set<string>();
    return ofFile.filter(({ record }) => !seen.has(record.createdAt) && seen.add(record.createdAt));
  });
}

async function readCommitted(directory: string, name: string, limit: number): Promise<readonly StoredBaseline[]> {
  const git = (...args: string[]) =>
    promisify(execFile)('git', args, { cwd: directory, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
  let log: string;
  try {
    ({ stdout: log } = await git('log', `--max-count=${limit}`, '--format=%H', '--', name));
  } catch {
    return []; // No git, no repository or no commit: the file itself is all there is.
  }
  const stored: StoredBaseline[] = [];
  for (const commit of log.split('\n').filter((line) => line !== '')) {
    try {
      const { stdout: text } = await git('show', `${commit}:./${name}`);
      stored.push({ record: parseRecord(text, `${name} of ${commit}`), label: await firstTag(git, commit) });
    } catch (error) {
      if (!(error instanceof BenchError) && !isGitFailure(error)) throw error;
      // Deleted in that commit, or of an older format: there is nothing to draw.
    }
  }
  return stored;
}

/** The oldest release that contains the commit. */
async function firstTag(
  git: (...args: string[]) => Promise<{ stdout: string }>,
  commit: string,
): Promise<string | undefined> {
  const { stdout } = await git('tag', '--contains', commit, '--sort=creatordate');
  return stdout.split('\n')[0]?.trim() || undefined;
}

function isGitFailure(error: unknown): boolean {
  return error instanceof Error && 'stderr' in error;
}

async function readResults(directory: string, limit: number): Promise<readonly BenchmarkRecord[]> {
  const names = (await readNames(directory)).filter((name) => /^\d{4}-.*\.json$/.test(name)).sort();
  const records = await Promise.all(names.slice(-limit).map((name) => readIfRecord(join(directory, name))));
  // Short looks prove nothing, and would only blur the line.
  return records.flat().filter(({ settings }) => settings.rounds >= verdictLimits.leastRounds);
}

async function readNames(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function readIfRecord(path: string): Promise<readonly BenchmarkRecord[]> {
  try {
    return [await readRecord(path)];
  } catch (error) {
    if (error instanceof BenchError) return [];
    throw error;
  }
}
