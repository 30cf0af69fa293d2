/**
 * `cadre-bench compare --against REF`: the current cases and ruler measure the packages of another commit, built from it,
 * in the same rounds as the current ones.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { makeOverlay } from '../against/overlay.ts';
import { compareSideBySide, firstLine, type SidedCase, type SidedRounds } from '../against/side-by-side.ts';
import { findRepository, openWorktree, resolveCommit, type Worktree } from '../against/worktree.ts';
import { describeBusy, runtimeOf } from '../baseline.ts';
import { exitCodeOf, exitCodes, type MeasuringOptions } from '../command.ts';
import { compareKind } from '../compare-kinds.ts';
import { type CaseComparison, notComparable, summarise } from '../comparison.ts';
import { type Environment, readEnvironment } from '../environment.ts';
import { type FoundCase, findCases, kindOf, loadCase } from '../find-cases.ts';
import { applyNeeds, describeLeftOut } from '../needs.ts';
import { renderComparison } from '../report/terminal.ts';
import { type RunOptions, resolveSettings, runBenchmarks } from '../run.ts';

export interface AgainstOptions {
  readonly ref: string;
  readonly installCommand?: string | undefined;
  readonly buildCommand?: string | undefined;
  /** Measures although the machine is busy; what differs from itself has no verdict all the same. */
  readonly force: boolean;
}

export async function compareAgainst(options: MeasuringOptions, against: AgainstOptions): Promise<number> {
  const { screen, signal } = options;
  const found = await findCases(options.casesDirectory, options.filter);
  const repository = await findRepository(options.casesDirectory);
  const commit = await resolveCommit(repository, against.ref);
  const environment = await readEnvironment(repository, signal);
  const busy = describeBusy(environment);
  if (busy !== undefined && !against.force) {
    screen.write(`Too noisy, nothing was measured: ${busy} (--force measures all the same.)\n`);
    return exitCodes.tooNoisy;
  }
  const overlays = join(options.resultsDirectory, `against-${process.pid}`);
  const worktree = await openWorktree({
    repository,
    directory: join(options.resultsDirectory, '.worktrees'),
    ...against,
    commit,
    signal,
    onStep: (step) => screen.write(`${step}\n`),
  });
  try {
    const sides = await makeSides(options, repository, worktree, overlays, found);
    const { comparisons, rounds } = await compareSides(options, worktree, { overlays, environment }, sides.cases);
    const gone = sides.gone.map((name) => notComparable(name, `Only ${short(worktree)} has it.`));
    const noted = comparisons.map((entry) =>
      sides.isNew(entry.name) && entry.reason === undefined
        ? { ...entry, reason: `The case is newer than ${short(worktree)}.` }
        : entry,
    );
    return await tell(options, worktree, [...noted, ...gone], { environment, rounds });
  } finally {
    await rm(overlays, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface Sides {
  readonly cases: readonly SidedCase[];
  /** Of the other commit, by name. */
  readonly gone: readonly string[];
  isNew(name: string): boolean;
}

async function makeSides(
  options: MeasuringOptions,
  repository: string,
  worktree: Worktree,
  overlays: string,
  found: readonly FoundCase[],
): Promise<Sides> {
  const { casesDirectory, filter, screen } = options;
  const shared = { repository, casesDirectory };
  const now = await makeOverlay({ ...shared, directory: join(overlays, 'now'), packagesFrom: repository });
  const other = await makeOverlay({ ...shared, directory: join(overlays, 'then'), packagesFrom: worktree.folder });
  for (const folder of other.missing) screen.write(`${short(worktree)} has no ${folder}\n`);
  const within = (root: string, { file, ...rest }: FoundCase) => ({
    ...rest,
    file: join(root, relative(casesDirectory, file)),
  });
  const old = await listOldCases(join(worktree.folder, relative(repository, casesDirectory)), filter);
  const names = new Set(found.map(({ name }) => name));
  return {
    cases: found.map((entry) => ({
      now: within(now.casesDirectory, entry),
      other: within(other.casesDirectory, entry),
    })),
    gone: old.filter((name) => !names.has(name)),
    isNew: (name) => old.length > 0 && !old.includes(name),
  };
}

/** None where the other commit built no cases, or none of the package. */
async function listOldCases(directory: string, filter: string | undefined): Promise<readonly string[]> {
  if (!existsSync(directory)) return [];
  const all = await findCases(directory).catch(() => []);
  return all
    .filter(({ name, packageName }) => filter === undefined || filter === name || filter === packageName)
    .map(({ name }) => name);
}

async function compareSides(
  options: MeasuringOptions,
  worktree: Worktree,
  { overlays, environment }: { readonly overlays: string; readonly environment: Environment },
  cases: readonly SidedCase[],
): Promise<{ readonly comparisons: readonly CaseComparison[]; readonly rounds: readonly SidedRounds[] }> {
  const { screen, signal } = options;
  const settings = resolveSettings(options.settings);
  const inRounds: SidedCase[] = [];
  const others: SidedCase[] = [];
  const refused: CaseComparison[] = [];
  for (const sided of cases) {
    try {
      const { definition } = await loadCase(sided.now);
      const { leftOut, ...applied } = await applyNeeds(sided.now.name, definition, options.onMissing);
      const kind = kindOf(definition);
      if (applied.definition !== undefined) (kind === 'measure' || kind === 'load' ? inRounds : others).push(sided);
      else refused.push(...leftOut.map((entry) => notComparable(sided.now.name, describeLeftOut(entry), kind)));
    } catch (error) {
      refused.push(notComparable(sided.now.name, `It can't be measured now: ${firstLine(error)}`));
    }
  }
  const workDirectory = join(overlays, 'work');
  const sideBySide = await compareSideBySide({
    cases: inRounds,
    settings,
    worker: { workDirectory, timeoutMs: 60_000, signal },
    otherName: short(worktree),
    onProcess(label, done, total) {
      if (!screen.isTerminal) return;
      screen.write(`\r\u001b[2K${`${Math.floor((done / total) * 100)} % · ${label}`.slice(0, screen.columns - 1)}`);
    },
    onSuspects: (names) => screen.write(`Slower at first sight, so measured once more: ${names.join(', ')}\n`),
  });
  const kinds = await compareOtherKinds(options, worktree, { workDirectory, environment }, others);
  return { comparisons: [...sideBySide.comparisons, ...kinds, ...refused], rounds: sideBySide.rounds };
}

/** Memory, leaks, scenarios and sizes need no rounds: each side is measured as `run` does it. */
async function compareOtherKinds(
  { settings, signal }: MeasuringOptions,
  worktree: Worktree,
  shared: Pick<RunOptions, 'workDirectory' | 'environment'>,
  cases: readonly SidedCase[],
): Promise<readonly CaseComparison[]> {
  if (cases.length === 0) return [];
  const [now, other] = [
    await runBenchmarks({ cases: cases.map((sided) => sided.now), ...shared, ...settings, signal }),
    await runBenchmarks({ cases: cases.map((sided) => sided.other), ...shared, ...settings, signal }),
  ];
  const kindsOf = ({ packages }: typeof now) => packages.flatMap(({ kinds }) => kinds);
  const failuresOf = ({ packages }: typeof now) => packages.flatMap(({ failures }) => failures);
  const side = { controls: {}, runtime: runtimeOf(now.environment) };
  return cases.map(({ now: { name } }) => {
    const [after, before] = [now, other].map((record) => kindsOf(record).find((entry) => entry.name === name));
    if (after !== undefined && before !== undefined) return compareKind(after, before, side, side);
    const failure = failuresOf(after === undefined ? now : other).find((entry) => entry.case === name);
    const where = after === undefined ? 'now' : `with the build of ${short(worktree)}`;
    return notComparable(name, `It can't be measured ${where}: ${failure?.message.split('\n', 1)[0] ?? 'no reason'}`);
  });
}

async function tell(
  { screen, resultsDirectory, outFile }: MeasuringOptions,
  worktree: Worktree,
  comparisons: readonly CaseComparison[],
  record: object,
): Promise<number> {
  if (screen.isTerminal) screen.write('\r\u001b[2K');
  const packages = [...new Set(comparisons.map(({ name }) => name.split('/')[0] ?? ''))].sort();
  for (const name of packages) {
    const shown = comparisons.filter((entry) => entry.name.startsWith(`${name}/`));
    screen.write(`${renderComparison(`${name}, against ${short(worktree)}`, shown)}\n`);
  }
  screen.write(`${summarise(comparisons)}\n`);
  const createdAt = new Date().toISOString();
  const path = outFile ?? join(resultsDirectory, `against-${createdAt.replace(/[:.]/g, '-')}.json`);
  await mkdir(resultsDirectory, { recursive: true });
  const kept = { format: 'cadre-bench-against/1', createdAt, against: worktree.commit, comparisons, ...record };
  await writeFile(path, `${JSON.stringify(kept)}\n`);
  screen.write(`record: ${path.split(sep).join('/')}\n`);
  return exitCodeOf(comparisons);
}

function short({ commit }: Worktree): string {
  return commit.slice(0, 10);
}
