/**
 * The tree by folder: how much code is there, how intricate, how often changed, how much was found. Folders are cut where
 * an engineer would cut them: a package is one, a large folder is split into those inside it.
 */
import type { ChangeHistoryMeasures } from './change-history.ts';
import type { ComplexityMeasures } from './complexity.ts';
import type { Analysis } from './finding.ts';
import type { OversizedMeasures } from './oversized-files.ts';
import { compareText, folderOf } from './path.ts';
import type { Ranking } from './rank.ts';
import { roleOf } from './role.ts';

interface FolderSummary {
  /** `.` for files that are in no folder. */
  readonly folder: string;
  readonly files: number;
  readonly lines: number;
  readonly testLines: number;
  readonly branches: number;
  readonly commits: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
}

export interface FolderSummaries {
  readonly folders: readonly FolderSummary[];
}

const MAX_FOLDERS = 24;

export function summarizeFolders(needs: {
  readonly sizes: Analysis<OversizedMeasures>;
  readonly complexity: Analysis<ComplexityMeasures>;
  readonly changes: Analysis<ChangeHistoryMeasures>;
  readonly rank: Ranking;
}): FolderSummaries {
  const lines = needs.sizes.measures.linesOf;
  const folders = chooseFolders(Object.entries(lines));
  const rows = new Map(
    folders.map((folder) => [
      folder,
      { files: 0, lines: 0, testLines: 0, branches: 0, commits: 0, high: 0, medium: 0, low: 0 },
    ]),
  );
  const rowOf = (path: string) => {
    for (let folder = folderOf(path); ; folder = folderOf(folder)) {
      const row = rows.get(folder === '' ? '.' : folder);
      if (row !== undefined || folder === '') return row;
    }
  };
  for (const [path, count] of Object.entries(lines)) {
    const row = rowOf(path);
    if (row === undefined) continue;
    row.files += 1;
    if (roleOf(path) === 'test') row.testLines += count;
    else row.lines += count;
    row.branches += needs.complexity.measures.branches[path] ?? 0;
    row.commits += needs.changes.measures.commitsOf[path] ?? 0;
  }
  for (const finding of needs.rank.findings) {
    const row = rowOf(finding.file);
    if (row !== undefined) row[finding.severity] += 1;
  }
  return {
    folders: [...rows]
      .map(([folder, row]) => ({ folder, ...row }))
      .filter((row) => row.files + row.high + row.medium + row.low > 0)
      .sort((a, b) => b.lines + b.testLines - a.lines - a.testLines || compareText(a.folder, b.folder)),
  };
}

/** Splits the folder with the most lines into its own, again and again, while that tells more and the list stays short. */
function chooseFolders(files: readonly (readonly [string, number])[]): readonly string[] {
  const chosen = new Map<string, number>([['.', total(files, '')]]);
  for (;;) {
    const largest = [...chosen]
      .filter(([folder]) => !folder.endsWith('/'))
      .sort((a, b) => b[1] - a[1] || compareText(a[0], b[0]))
      .find(([folder]) => childrenOf(files, folder).length > 0);
    if (largest === undefined) break;
    const children = childrenOf(files, largest[0]);
    const share = largest[1] / Math.max(1, total(files, ''));
    if (chosen.size + children.length > MAX_FOLDERS || (share < 0.08 && chosen.size > 6)) break;
    for (const child of children) chosen.set(child, total(files, child));
    // What is left in the folder itself stays a row of its own, and is not split again.
    chosen.delete(largest[0]);
    chosen.set(`${largest[0]}/`, 0);
  }
  return [...chosen.keys()].map((folder) => folder.replace(/\/$/, ''));
}

function childrenOf(files: readonly (readonly [string, number])[], folder: string): readonly string[] {
  const prefix = folder === '.' ? '' : `${folder}/`;
  const children = new Set<string>();
  for (const [path] of files) {
    const rest = path.startsWith(prefix) ? path.slice(prefix.length) : '';
    if (rest.includes('/')) children.add(prefix + rest.slice(0, rest.indexOf('/')));
  }
  return [...children];
}

function total(files: readonly (readonly [string, number])[], folder: string): number {
  return files.reduce(
    (sum, [path, lines]) => (folder === '' || folder === '.' || path.startsWith(`${folder}/`) ? sum + lines : sum),
    0,
  );
}
