/**
 * A changelog generator for changesets: each release quotes its benchmark record, and `changeset version` refuses while
 * a package that would be released has no baseline of its present sources. In `.changeset/config.json`:
 * `"changelog": ["@cadre/bench/changelog", { "baselines": "benchmarks/baselines" }]`.
 *
 * Changesets doesn't tell a generator which package a line is for. It asks for the packages of its release plan in their
 * order, ending each with `getDependencyReleaseLine`; so the plan is made again here, and the order is checked.
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import getReleasePlanModule from '@changesets/get-release-plan';
import { BenchError } from './errors.ts';
import type { BenchmarkRecord, CaseRecord, PackageRecord } from './record.ts';
import { readRecord } from './record.ts';
import { formatDuration, formatRatio } from './report/format.ts';
import { rivalsOf } from './report/standing.ts';
import { hashSources } from './source-hash.ts';

/** Paths from the root of the workspace. */
export interface ChangelogOptions {
  /** `<package>.json` for each package. @default 'benchmarks/baselines' */
  readonly baselines?: string;
  /** A package without a folder here is released without a record. @default 'benchmarks/cases' */
  readonly cases?: string;
  /** `<package>/src` for each package. @default 'packages' */
  readonly packages?: string;
  /** Stores a baseline; the package's name is added. @default 'cadre-bench baseline' */
  readonly command?: string;
}

/** What changesets hands over, as far as it is used. */
interface Changeset {
  readonly id: string;
  readonly summary: string;
  readonly commit?: string;
}

interface Release {
  readonly name: string;
  readonly type: string;
  readonly newVersion: string;
  readonly changesets: readonly string[];
}

/** As far as it has been asked in this process. */
const asked = { releases: 0, changesets: [] as string[] };
let plan: Promise<readonly Release[]> | undefined;
let records: Promise<ReadonlyMap<string, BenchmarkRecord>> | undefined;

/** @throws {BenchError} BENCH_BASELINE_STALE when a package that would be released was not measured as it is now */
export async function getReleaseLine(
  changeset: Changeset,
  _type: string,
  options: ChangelogOptions | null,
): Promise<string> {
  asked.changesets.push(changeset.id);
  await checkedRecords(options ?? {});
  const [first = '', ...rest] = changeset.summary.split('\n').map((line) => line.trimEnd());
  const commit = changeset.commit === undefined ? '' : `${changeset.commit.slice(0, 7)}: `;
  return [`- ${commit}${first}`, ...rest.map((line) => `  ${line}`)].join('\n');
}

/** @throws {BenchError} BENCH_BASELINE_STALE, as `getReleaseLine` */
export async function getDependencyReleaseLine(
  changesets: readonly Changeset[],
  updated: readonly Release[],
  options: ChangelogOptions | null,
): Promise<string> {
  const place = asked.releases++;
  const seen = asked.changesets.splice(0);
  const release = (await releasePlan())[place];
  if (release === undefined || !seen.every((id) => release.changesets.includes(id))) {
    throw new TypeError(
      'This version of changesets asks in another order than @cadre/bench/changelog expects; use @changesets/cli 2.',
    );
  }
  const record = (await checkedRecords(options ?? {})).get(release.name);
  const lines = updated.map(({ name, newVersion }) => `  - ${name}@${newVersion}`);
  if (lines.length > 0) lines.unshift(`- Updated dependencies${commitList(changesets)}`);
  return [...lines, ...(record === undefined ? [] : [renderReleaseLine(record)])].join('\n');
}

/** One line: each timed case with its fastest rivals, those that are faster than us included. */
export function renderReleaseLine(record: BenchmarkRecord): string {
  const { environment, settings, packages } = record;
  const cases = packages.flatMap((entry: PackageRecord) => entry.cases.map(renderCase));
  const where = `Node ${environment.node}, ${environment.cpu}, ${settings.rounds} rounds`;
  return `- Measured (${where}; time over ours with its 95 % interval): ${cases.join('; ')}.`;
}

function renderCase(entry: CaseRecord): string {
  const own = entry.variants[entry.reference];
  const figure = own === undefined ? '' : ` ${formatDuration(own.nanosecondsPerUnit)} per ${entry.unit}`;
  const rivals = rivalsOf(entry)
    .filter(({ isRival }) => isRival)
    .sort((left, right) => left.times.estimate - right.times.estimate)
    .map(({ name, times }) => `${name} ${formatRatio(times)}`);
  return `\`${entry.name}\`${figure}${rivals.length === 0 ? '' : `, ${rivals.join(', ')}`}`;
}

function commitList(changesets: readonly Changeset[]): string {
  const commits = changesets.flatMap(({ commit }) => (commit === undefined ? [] : [commit.slice(0, 7)]));
  return commits.length === 0 ? '' : ` [${commits.join(', ')}]`;
}

function releasePlan(): Promise<readonly Release[]> {
  plan ??= readPlan();
  return plan;
}

async function readPlan(): Promise<readonly Release[]> {
  const { releases } = await planReleases(process.cwd());
  return releases.filter(({ type }) => type !== 'none');
}

/** What is CommonJS inside comes as its own default where Node loads it, and unwrapped where a bundler does. */
function planReleases(directory: string): Promise<{ readonly releases: readonly Release[] }> {
  const module: unknown = getReleasePlanModule;
  const inner = typeof module === 'object' && module !== null && 'default' in module ? module.default : module;
  return (inner as typeof getReleasePlanModule)(directory);
}

function checkedRecords(options: ChangelogOptions): Promise<ReadonlyMap<string, BenchmarkRecord>> {
  records ??= readRecords(options);
  return records;
}

async function readRecords(options: ChangelogOptions): Promise<ReadonlyMap<string, BenchmarkRecord>> {
  const { baselines = 'benchmarks/baselines', cases = 'benchmarks/cases', packages = 'packages' } = options;
  const { command = 'cadre-bench baseline' } = options;
  const found = new Map<string, BenchmarkRecord>();
  const problems: string[] = [];
  for (const { name } of await releasePlan()) {
    const short = name.slice(name.indexOf('/') + 1);
    if (!(await exists(resolve(cases, short)))) continue;
    const now = await hashSources(resolve(packages, short));
    const record = await readRecord(join(resolve(baselines), `${short}.json`)).catch((error: unknown) => {
      if (error instanceof BenchError) return undefined;
      throw error;
    });
    const measured = record?.packages.find((entry) => entry.name === short);
    if (record !== undefined && measured !== undefined && measured.sourceHash === now) {
      found.set(name, record);
      continue;
    }
    const why = measured === undefined ? 'has no baseline' : 'changed since its baseline was measured';
    problems.push(`  ${name} ${why}: ${command} ${short}`);
  }
  if (problems.length === 0) return found;
  throw new BenchError(
    'BENCH_BASELINE_STALE',
    `A release quotes the record of what it ships. Measure, on a quiet machine, and commit the baselines:\n${problems.join('\n')}`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
