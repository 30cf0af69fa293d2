/**
 * Answers: where do changes gather, and which files change together though nothing in the code says why?
 *
 * A hotspot is code that is both hard and often changed (Tornhill, "Your Code as a Crime Scene"): its rank is the product
 * of its place among the tree's files by commits and by branches.
 */
import type { Collected } from './collect.ts';
import type { ManifestFacts } from './collect-manifests.ts';
import { type Analysis, analysis, type Finding, plural } from './finding.ts';
import type { HistoryFacts } from './history.ts';
import { buildModuleGraph } from './module-graph.ts';
import { compareText, folderOf, nameOf } from './path.ts';
import { isTestFile, roleOf } from './role.ts';
import type { FileSyntax } from './syntax.ts';

interface HotspotFact {
  readonly file: string;
  readonly commits: number;
  readonly branches: number;
  readonly authors: number;
  readonly lastChange: string;
  readonly score: number;
}

export interface ChangeHistoryMeasures {
  readonly available: boolean;
  readonly commits: number;
  readonly authors: number;
  readonly firstDay: string | null;
  readonly lastDay: string | null;
  readonly hotspots: readonly HotspotFact[];
  /** Commits per file that is still there. */
  readonly commitsOf: Readonly<Record<string, number>>;
  readonly together: readonly {
    readonly a: string;
    readonly b: string;
    readonly together: number;
    readonly share: number;
    readonly linked: boolean;
  }[];
}

/** Below so many commits, chance explains what changes together. */
const MIN_COMMITS = 20;
const MIN_TOGETHER = 5;
const MIN_SHARE = 0.6;

export function analyseChangeHistory(needs: {
  readonly history: HistoryFacts;
  readonly syntax: Collected<FileSyntax>;
  readonly manifests: ManifestFacts;
}): Analysis<ChangeHistoryMeasures> {
  const { history } = needs;
  const syntax = new Map(needs.syntax.files.map((file) => [file.path, file]));
  const judged = history.files.filter(
    (file) => syntax.has(file.path) && ['source', 'support'].includes(roleOf(file.path)),
  );
  const most = { commits: Math.max(1, ...judged.map((file) => file.commits)), branches: 1 };
  for (const file of judged) most.branches = Math.max(most.branches, syntax.get(file.path)?.functions.branches ?? 0);
  const hotspots = judged
    .map((file): HotspotFact => {
      const branches = syntax.get(file.path)?.functions.branches ?? 0;
      const score = Math.round(((100 * file.commits) / most.commits) * (branches / most.branches));
      return {
        file: file.path,
        commits: file.commits,
        branches,
        authors: file.authors,
        lastChange: file.lastChange,
        score,
      };
    })
    .filter((fact) => fact.score > 0)
    .sort((a, b) => b.score - a.score || compareText(a.file, b.file));
  const together = pairs(needs, syntax);
  const findings: Finding[] = [];
  if (history.commits >= MIN_COMMITS) {
    findings.push(
      ...hotspots
        .filter((fact) => fact.score >= 25 && fact.commits >= 8 && fact.branches >= 40)
        .slice(0, 10)
        .map(hotspotFinding),
    );
    findings.push(
      ...together
        .filter((pair) => !pair.linked)
        .slice(0, 15)
        .map(couplingFinding),
    );
  }
  const few = history.available && history.commits < MIN_COMMITS;
  const notes = few
    ? [
        `The history holds ${plural(history.commits, 'commit')}: fewer than ${MIN_COMMITS} say nothing reliable, so no finding is made of them.`,
      ]
    : [];
  return analysis(
    findings,
    {
      available: history.available,
      commits: history.commits,
      authors: history.authors,
      firstDay: history.firstDay,
      lastDay: history.lastDay,
      hotspots: hotspots.slice(0, 60),
      commitsOf: Object.fromEntries(history.files.map((file) => [file.path, file.commits])),
      together: together.slice(0, 30),
    },
    [...history.notes, ...notes],
  );
}

function pairs(
  needs: { readonly history: HistoryFacts; readonly syntax: Collected<FileSyntax>; readonly manifests: ManifestFacts },
  syntax: ReadonlyMap<string, FileSyntax>,
): ChangeHistoryMeasures['together'] {
  const commitsOf = new Map(needs.history.files.map((file) => [file.path, file.commits]));
  const linked = new Set(
    buildModuleGraph(needs.syntax.files, needs.manifests).edges.flatMap(({ from, to }) => [
      `${from}\0${to}`,
      `${to}\0${from}`,
    ]),
  );
  return needs.history.pairs
    .filter(({ a, b }) => syntax.has(a) && syntax.has(b) && roleOf(a) !== 'fixture' && roleOf(b) !== 'fixture')
    .map(({ a, b, together }) => {
      const rarer = Math.min(commitsOf.get(a) ?? together, commitsOf.get(b) ?? together);
      return {
        a,
        b,
        together,
        share: Math.round((100 * together) / rarer) / 100,
        linked: linked.has(`${a}\0${b}`) || belongTogether(a, b),
      };
    })
    .filter((pair) => pair.together >= MIN_TOGETHER && pair.share >= MIN_SHARE)
    .sort(
      (x, y) =>
        Number(x.linked) - Number(y.linked) ||
        y.together * y.share - x.together * x.share ||
        compareText(x.a + x.b, y.a + y.b),
    );
}

/** A file and its test, or two files of one name: that they change together is how it should be. */
function belongTogether(a: string, b: string): boolean {
  if (isTestFile(a) || isTestFile(b) || roleOf(a) === 'test' || roleOf(b) === 'test') return true;
  const stem = (path: string) => nameOf(path).replace(/\..*$/, '');
  return stem(a) === stem(b) && folderOf(a) === folderOf(b);
}

function hotspotFinding(fact: HotspotFact): Finding {
  return {
    kind: 'hotspot',
    severity: fact.score >= 60 ? 'high' : 'medium',
    file: fact.file,
    line: null,
    title: `changed in ${plural(fact.commits, 'commit')} and holds ${plural(fact.branches, 'branch', 'branches')}`,
    reason: `It is among the most changed and the most intricate files at once (${plural(fact.authors, 'author')}, last ${fact.lastChange}): here a clean-up pays back first.`,
    effort: 'days',
  };
}

function couplingFinding(pair: ChangeHistoryMeasures['together'][number]): Finding {
  return {
    kind: 'hidden-coupling',
    severity: 'low',
    file: pair.a,
    line: null,
    title: `changes together with ${pair.b} (${pair.together} commits, ${Math.round(pair.share * 100)} %)`,
    reason: 'Neither imports the other, so nothing reminds the next author that both have to change.',
    effort: 'hours',
    related: [{ file: pair.b, line: 1 }],
  };
}
