/**
 * What git's history says about each file: how often it changed, how much, by how many people, when last, and with which
 * other files. Renames are followed, so a file keeps the history it had under older names.
 */
import { runGit } from './git.ts';
import { compareText } from './path.ts';

interface FileHistory {
  readonly path: string;
  readonly commits: number;
  readonly authors: number;
  readonly added: number;
  readonly deleted: number;
  /** The day of its last commit, `YYYY-MM-DD`. */
  readonly lastChange: string;
}

export interface HistoryFacts {
  readonly available: boolean;
  readonly commits: number;
  readonly authors: number;
  readonly firstDay: string | null;
  readonly lastDay: string | null;
  readonly files: readonly FileHistory[];
  /** Pairs of files that changed in the same commits, with how many; only commits of few files are counted. */
  readonly pairs: readonly { readonly a: string; readonly b: string; readonly together: number }[];
  readonly notes: readonly string[];
}

interface Commit {
  readonly author: string;
  readonly day: string;
  readonly changes: readonly {
    readonly path: string;
    readonly oldPath?: string;
    readonly added: number;
    readonly deleted: number;
  }[];
}

const MAX_COMMITS = 5_000;
/** Commits of more files are moves, formatting or releases: they say nothing about what belongs together. */
const MAX_FILES_TOGETHER = 30;
const MAX_PAIRS = 2_000;

export async function historyOf(root: string): Promise<HistoryFacts> {
  const log = await runGit(root, [
    'log',
    `--max-count=${MAX_COMMITS + 1}`,
    '--no-merges',
    '--relative',
    '--numstat',
    '-M',
    '-z',
    '--date=short',
    '--format=%x01%ad%x02%aE',
    '--',
    '.',
  ]);
  if (!log.ok) return withoutHistory(reasonFor(log.message));
  const commits = parseLog(log.output);
  if (commits.length === 0)
    return withoutHistory('No commit touches this folder, so nothing is said about its history.');
  const notes: string[] = [];
  if (commits.length > MAX_COMMITS) notes.push(`Only the newest ${MAX_COMMITS} commits were read.`);
  const shallow = await runGit(root, ['rev-parse', '--is-shallow-repository']);
  if (shallow.output.trim() === 'true') notes.push('The clone is shallow, so its history is cut off.');
  return { ...summarize(commits.slice(0, MAX_COMMITS)), notes };
}

/** Splits the answer of `git log -z --numstat`, whose renames take three fields where other changes take one. */
function parseLog(output: string): readonly Commit[] {
  return output
    .split('\x01')
    .slice(1)
    .map((record) => {
      const [header = '', ...rest] = record.split('\0');
      const [day = '', author = ''] = header.split('\x02');
      const changes: { path: string; oldPath?: string; added: number; deleted: number }[] = [];
      const fields = rest.map((field) => field.replace(/^\n/, ''));
      for (let at = 0; at < fields.length; at += 1) {
        const match = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(fields[at] ?? '');
        if (match === null) continue;
        const added = Number(match[1]) || 0;
        const deleted = Number(match[2]) || 0;
        if (match[3] !== '') changes.push({ path: match[3] ?? '', added, deleted });
        else {
          changes.push({ oldPath: fields[at + 1] ?? '', path: fields[at + 2] ?? '', added, deleted });
          at += 2;
        }
      }
      return { author, day, changes };
    });
}

/** @param commits  newest first */
function summarize(commits: readonly Commit[]): Omit<HistoryFacts, 'notes'> {
  const files = new Map<
    string,
    { commits: number; authors: Set<string>; added: number; deleted: number; lastChange: string }
  >();
  const together = new Map<string, number>();
  const laterName = new Map<string, string>();
  for (const commit of commits) {
    const touched = new Set<string>();
    for (const change of commit.changes) {
      const path = laterName.get(change.path) ?? change.path;
      if (change.oldPath !== undefined) laterName.set(change.oldPath, path);
      const file = files.get(path) ?? { commits: 0, authors: new Set(), added: 0, deleted: 0, lastChange: commit.day };
      files.set(path, file);
      file.commits += 1;
      file.authors.add(commit.author);
      file.added += change.added;
      file.deleted += change.deleted;
      touched.add(path);
    }
    if (touched.size <= MAX_FILES_TOGETHER) countPairs([...touched].sort(compareText), together);
  }
  const days = commits.map((commit) => commit.day).sort(compareText);
  return {
    available: true,
    commits: commits.length,
    authors: new Set(commits.map((commit) => commit.author)).size,
    firstDay: days[0] ?? null,
    lastDay: days.at(-1) ?? null,
    files: [...files]
      .map(([path, file]) => ({ path, ...file, authors: file.authors.size }))
      .sort((a, b) => compareText(a.path, b.path)),
    pairs: pairsOf(together),
  };
}

function countPairs(paths: readonly string[], together: Map<string, number>): void {
  for (const [index, a] of paths.entries()) {
    for (const b of paths.slice(index + 1)) together.set(`${a}\0${b}`, (together.get(`${a}\0${b}`) ?? 0) + 1);
  }
}

function pairsOf(together: ReadonlyMap<string, number>): HistoryFacts['pairs'] {
  const often = [...together].filter(([, times]) => times >= 3);
  often.sort((a, b) => b[1] - a[1] || compareText(a[0], b[0]));
  return often.slice(0, MAX_PAIRS).map(([key, times]) => {
    const [a = '', b = ''] = key.split('\0');
    return { a, b, together: times };
  });
}

function withoutHistory(note: string): HistoryFacts {
  return {
    available: false,
    commits: 0,
    authors: 0,
    firstDay: null,
    lastDay: null,
    files: [],
    pairs: [],
    notes: [note],
  };
}

function reasonFor(message: string): string {
  if (/not a git repository/i.test(message))
    return 'The folder is not in a git repository, so nothing is said about its history.';
  if (/does not have any commits/i.test(message))
    return 'The repository has no commit yet, so nothing is said about its history.';
  return `Git's history could not be read (${message.slice(0, 200)}), so nothing is said about it.`;
}
