/** The report as one page: no script, nothing fetched, readable on a phone, printed, in the dark. */
import { barChart, scatterChart } from './charts.ts';
import { type FindingKind, plural } from './finding.ts';
import { type Html, html } from './html.ts';
import { type RankedFinding, topFindings } from './rank.ts';
import { HOW, kindTitle, type ReportNeeds } from './report.ts';
import { STYLE } from './report-style.ts';
import type { Score } from './scorecard.ts';

const MAX_PER_KIND = 60;

export function htmlReport(needs: ReportNeeds): string {
  const { scorecard, rank, changes, sizes } = needs;
  const history = changes.measures;
  const { high, medium, low } = rank.bySeverity;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>Audit of ${scorecard.name}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="eyebrow">Audit</p>
<h1>${scorecard.name}</h1>
<p class="lead">${plural(sizes.measures.files, 'file')}, ${plural(sizes.measures.codeLines, 'line')} of code${history.available && history.lastDay !== null && html`, ${plural(history.commits, 'commit')} by ${plural(history.authors, 'author')} from ${history.firstDay} to ${history.lastDay}`}.</p>
<dl class="totals">
<div class="high"><dt>high</dt><dd>${high.toLocaleString('en-US')}</dd></div>
<div class="medium"><dt>medium</dt><dd>${medium.toLocaleString('en-US')}</dd></div>
<div class="low"><dt>low</dt><dd>${low.toLocaleString('en-US')}</dd></div>
</dl>
</header>
<main>
<section><h2>Marks</h2><div class="cards">${scorecard.scores.map(scoreCard)}</div></section>
<section><h2>First things first</h2>${rank.findings.length === 0 ? html`<p>Nothing was found.</p>` : html`<ol class="findings">${topFindings(rank.findings, 12, 3).map(findingItem)}</ol>`}</section>
<div class="columns">
<section><h2>Findings by kind</h2>${kindBars(needs)}</section>
<section><h2>Languages</h2>${languageBars(needs)}</section>
</div>
${history.hotspots.length > 0 && html`<section><h2>Where changes gather</h2><p class="hint">Each dot is a file: to the right what changes often, above what is intricate. What stands at the top right costs the most.</p>${hotspotChart(needs)}</section>`}
<section><h2>Folders</h2>${folderTable(needs)}</section>
${needs.complexity.measures.hardest.length > 0 && html`<section><h2>Hardest functions</h2>${functionTable(needs)}</section>`}
${needs.graph.measures.between.length > 0 && html`<section><h2>Who imports whom</h2>${betweenChart(needs)}</section>`}
<section><h2>All findings</h2>${rank.byKind.map(({ kind }) => kindSection(kind, rank.findings))}${rank.total > rank.findings.length && html`<p class="hint">${plural(rank.total - rank.findings.length, 'finding')} beyond these are counted and not listed.</p>`}</section>
<section class="how"><h2>How to read this</h2><ul>${[...HOW, ...rank.notes].map((note) => html`<li>${note}</li>`)}</ul>
<details><summary>How the marks are given</summary><ul>${scorecard.scores.map((score) => html`<li><b>${score.side}</b>: ${score.rule}</li>`)}</ul></details></section>
</main>
</body>
</html>
`;
  return page.toString();
}

function scoreCard(score: Score): Html {
  return html`<div class="card mark-${score.mark === '–' ? 'none' : score.mark}"><b>${score.mark}</b><h3>${score.side}</h3><p>${score.figure}</p></div>`;
}

function findingItem(finding: RankedFinding): Html {
  const related = (finding.related ?? []).filter((place) => place.file !== finding.file || place.line !== finding.line);
  return html`<li class="${finding.severity}"><p class="what"><span class="badge">${finding.severity}</span> ${kindTitle(finding.kind)} <span class="effort">${finding.effort}</span></p>
<p class="title">${finding.title}</p><p class="place"><code>${placeOf(finding.file, finding.line)}</code></p><p class="reason">${finding.reason}</p>${
    related.length > 0 &&
    html`<details><summary>${plural(related.length, 'other place')}</summary><p class="place">${related.slice(0, 30).map((place) => html`<code>${placeOf(place.file, place.line)}</code> `)}</p></details>`
  }</li>`;
}

function kindBars(needs: ReportNeeds): Html {
  const bars = needs.rank.byKind.map((row) => ({
    label: kindTitle(row.kind),
    parts: [
      { value: row.high, tone: 'high', title: `${row.high} high` },
      { value: row.medium, tone: 'medium', title: `${row.medium} medium` },
      { value: row.low, tone: 'low', title: `${row.low} low` },
    ],
    note: String(row.high + row.medium + row.low),
  }));
  return bars.length === 0 ? html`<p>Nothing was found.</p>` : barChart(bars, 'Findings by kind and severity');
}

function languageBars(needs: ReportNeeds): Html {
  const bars = needs.sizes.measures.languages.slice(0, 10).map((row) => ({
    label: row.language,
    parts: [{ value: row.lines, tone: 'plain', title: plural(row.files, 'file') }],
    note: row.lines.toLocaleString('en-US'),
  }));
  return barChart(bars, 'Lines by language');
}

function hotspotChart(needs: ReportNeeds): Html {
  const { hotspots } = needs.changes.measures;
  const dots = hotspots.map((fact) => ({
    x: fact.commits,
    y: fact.branches,
    size: 4 + Math.min(6, fact.authors - 1),
    label: `${fact.file}: ${plural(fact.commits, 'commit')}, ${plural(fact.branches, 'branch', 'branches')}`,
    tone: fact.score >= 60 ? 'high' : fact.score >= 25 ? 'medium' : 'low',
  }));
  return scatterChart(dots, { x: 'commits', y: 'branches', title: 'Files by commits and branches' });
}

function folderTable(needs: ReportNeeds): Html {
  const { folders } = needs.folders;
  const most = Math.max(1, ...folders.map((row) => row.lines + row.testLines));
  return html`<div class="scroll"><table><thead><tr><th>Folder</th><th>Lines</th><th class="wide">Code and tests</th><th>Branches</th><th>Commits</th><th>High</th><th>Medium</th><th>Low</th></tr></thead><tbody>${folders.map(
    (row) =>
      html`<tr><td><code>${row.folder}</code></td><td>${(row.lines + row.testLines).toLocaleString('en-US')}</td><td class="wide"><svg height="12" width="100%" role="img" aria-label="${row.lines} lines of code, ${row.testLines} of tests"><rect width="${(100 * row.lines) / most}%" height="100%" class="plain"/><rect x="${(100 * row.lines) / most}%" width="${(100 * row.testLines) / most}%" height="100%" class="tests"/></svg></td><td>${row.branches.toLocaleString('en-US')}</td><td>${row.commits}</td><td>${row.high}</td><td>${row.medium}</td><td>${row.low}</td></tr>`,
  )}</tbody></table></div><p class="hint"><span class="key plain"></span> code <span class="key tests"></span> tests</p>`;
}

function functionTable(needs: ReportNeeds): Html {
  return html`<div class="scroll"><table><thead><tr><th>Function</th><th class="text">Where</th><th>Cognitive</th><th>Branches</th><th>Depth</th><th>Lines</th></tr></thead><tbody>${needs.complexity.measures.hardest.map(
    (fact) =>
      html`<tr><td><code>${fact.name}</code></td><td><code>${placeOf(fact.file, fact.line)}</code></td><td>${fact.cognitive}</td><td>${fact.cyclomatic - 1}</td><td>${fact.depth}</td><td>${fact.lines}</td></tr>`,
  )}</tbody></table></div>`;
}

function betweenChart(needs: ReportNeeds): Html {
  const bars = needs.graph.measures.between.slice(0, 20).map((row) => ({
    label: `${row.from} → ${row.to}`,
    parts: [{ value: row.imports, tone: 'plain', title: plural(row.imports, 'import') }],
    note: String(row.imports),
  }));
  return html`<div class="pairs">${barChart(bars, 'Imports between packages and folders')}</div>`;
}

function kindSection(kind: FindingKind, findings: readonly RankedFinding[]): Html {
  const those = findings.filter((finding) => finding.kind === kind);
  const rest = those.length - MAX_PER_KIND;
  return html`<details class="kind"><summary>${kindTitle(kind)} <span>${those.length}</span></summary><ol class="findings">${those.slice(0, MAX_PER_KIND).map(findingItem)}</ol>${rest > 0 && html`<p class="hint">${rest} more are in <code>findings.json</code>.</p>`}</details>`;
}

function placeOf(file: string, line: number | null): string {
  return line === null ? file : `${file}:${line}`;
}
