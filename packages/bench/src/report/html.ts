/**
 * A record as one page that holds everything it shows: no script, no font, no address to fetch, so that it can be sent,
 * kept and opened anywhere. What is worse than a rival is said as early as what is better.
 */
import { findNoise } from '../baseline.ts';
import type { Environment } from '../environment.ts';
import { describeLeftOut } from '../needs.ts';
import type { BenchmarkRecord, CaseRecord, PackageRecord } from '../record.ts';
import { median } from '../stats.ts';
import { describeTooFewRounds, isEqual, verdictLimits } from '../verdict.ts';
import { formatDuration, formatMebibytes, formatRatio } from './format.ts';
import type { CaseHistory } from './history.ts';
import { anchorOf, renderBadge, renderCaseArticle, renderTable } from './html-case.ts';
import { renderKindArticle } from './html-kind.ts';
import { renderWorkloadSection } from './html-workloads.ts';
import { html, type Markup } from './markup.ts';
import { pageStyle } from './page-style.ts';
import { caseStanding, rivalsOf, type Standing } from './standing.ts';

export interface HtmlOptions {
  readonly title?: string;
  readonly history?: readonly CaseHistory[];
  /** What measures a case again. @default cadre-bench run <case> */
  readonly commandFor?: (caseName: string) => string;
}

export function renderHtml(record: BenchmarkRecord, options: HtmlOptions = {}): string {
  const { title = 'Benchmark report', history = [], commandFor = (name) => `cadre-bench run ${name}` } = options;
  const { createdAt, settings, packages, environment } = record;
  const cases = packages.flatMap((entry) => entry.cases);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}, ${createdAt.slice(0, 10)}</title>
<style>${{ markup: pageStyle }}</style>
</head>
<body>
<a class="skip" href="#cases">Skip to the cases</a>
<header class="page">
<h1>${title}</h1>
<p class="soft">Measured ${createdAt.slice(0, 16).replace('T', ' ')} UTC${commitWords(environment)}: ${settings.rounds} rounds of fresh processes, their order
changed every round, results checked to be equal work.</p>
${renderNotices(record)}
${renderCounts(cases)}
<nav aria-label="Packages"><ul>
${packages.map(({ name }) => html`<li><a href="#package-${name}">${name}</a></li>`)}
<li><a href="#environment">environment</a></li>
</ul></nav>
</header>
<main id="cases">
${renderWorkloadSection(record)}
${renderOverview(cases)}
${packages.map((entry) => renderPackageSection(entry, history, commandFor))}
${renderEnvironmentSection(record)}
</main>
<footer><p>How to read it: <em>time, ${cases[0]?.reference ?? 'reference'} = 1</em> is a variant's time over the judged one's in the same round: 2× takes twice as long,
0.5× half. An interval holds the true value with 95 % confidence; one that crosses 1× is a tie. A limit does less than the work, to show what is left to gain.
Figures of shared machines drift; ratios of one run hold.</p></footer>
</body>
</html>
`;
  return page.markup;
}

function renderNotices(record: BenchmarkRecord): readonly Markup[] {
  const noise = findNoise(record);
  const { rounds } = record.settings;
  const failures = record.packages.flatMap((entry) => entry.failures);
  const leftOut = record.packages.flatMap((entry) => entry.leftOut);
  const notices: Markup[] = [];
  if (noise !== undefined) {
    notices.push(html`<div class="notice" role="note"><p><strong>Too noisy to prove anything.</strong> ${noise} Read the order, not the figures.</p></div>
`);
  }
  if (rounds < verdictLimits.leastRounds) {
    notices.push(html`<div class="notice" role="note"><p><strong>A short look.</strong> ${describeTooFewRounds(rounds)}</p></div>
`);
  }
  if (failures.length > 0) {
    notices.push(html`<div class="notice" role="note"><p><strong>${failures.length} not measured.</strong></p><ul>
${failures.map(({ case: name, code, message }) => html`<li>${name} (${code}): ${message}</li>`)}</ul></div>
`);
  }
  if (leftOut.length > 0) {
    notices.push(html`<div class="notice" role="note"><p><strong>${leftOut.length} left out.</strong></p><ul>
${leftOut.map((entry) => html`<li>${describeLeftOut(entry)}</li>`)}</ul></div>
`);
  }
  return notices;
}

function renderCounts(cases: readonly CaseRecord[]): Markup | undefined {
  const count = (standing: Standing) => cases.filter((entry) => caseStanding(entry) === standing).length;
  if (cases.length === 0) return undefined;
  return html`<ul class="counts">
<li class="behind"><strong>${count('behind')}</strong> slower than a rival</li>
<li><strong>${count('level')}</strong> level with a rival</li>
<li class="ahead"><strong>${count('ahead')}</strong> faster than every rival</li>
<li><strong>${cases.length}</strong> cases measured</li>
</ul>
`;
}

/** One row a case, what is behind first. */
function renderOverview(cases: readonly CaseRecord[]): Markup | undefined {
  if (cases.length === 0) return undefined;
  const order: readonly (Standing | undefined)[] = ['behind', 'level', 'ahead', undefined];
  const sorted = [...cases].sort(
    (left, right) => order.indexOf(caseStanding(left)) - order.indexOf(caseStanding(right)),
  );
  const rows = sorted.map((entry) => {
    const own = entry.variants[entry.reference];
    const closest = rivalsOf(entry)
      .filter(({ isRival }) => isRival)
      .sort((left, right) => left.times.estimate - right.times.estimate)[0];
    return html`<tr><th scope="row"><a href="#${anchorOf(entry.name)}">${entry.name}</a></th>
<td class="${closest?.standing}">${closest === undefined ? '' : formatRatio(closest.times)}</td><td class="words">${closest?.name ?? 'none'}</td>
<td>${own === undefined ? '' : formatDuration(own.nanosecondsPerUnit)} per ${entry.unit}</td>
<td>${renderBadge(caseStanding(entry))}</td></tr>
`;
  });
  return html`<section aria-labelledby="overview"><h2 id="overview">At a glance</h2>
${renderTable({
  caption: 'Each case beside its fastest rival; where we are slower comes first',
  columns: ['case', "fastest rival's time, ours = 1", 'rival', 'ours', ''],
  words: [2],
  rows,
})}</section>
`;
}

function renderPackageSection(
  entry: PackageRecord,
  history: readonly CaseHistory[],
  commandFor: (caseName: string) => string,
): Markup {
  const articles = entry.cases.map((measured) =>
    renderCaseArticle({
      entry: measured,
      history: history.find(({ name }) => name === measured.name),
      command: commandFor(measured.name),
    }),
  );
  return html`<section aria-labelledby="package-${entry.name}"><h2 id="package-${entry.name}">${entry.name}</h2>
${Object.entries(entry.controls).map(([name, control]) => {
  const figure = formatDuration(median([...control.first, ...control.second]));
  const calm = isEqual(control.selfRatio) ? 'equal' : 'too noisy to prove anything';
  return html`<p class="soft">Control "${name}": ${figure} per ${control.unit}; against itself ${formatRatio(control.selfRatio)}: ${calm}.</p>
`;
})}${articles}
${entry.kinds.map((kind) => renderKindArticle(kind, commandFor(kind.name)))}</section>
`;
}

function renderEnvironmentSection({ environment, settings, createdAt }: BenchmarkRecord): Markup {
  const { cpu, cores, memoryBytes, platform, release, architecture, node, v8, loadAverage, busyShare } = environment;
  const facts = {
    measured: createdAt,
    processor: `${cpu}, ${cores} cores`,
    memory: formatMebibytes(memoryBytes),
    system: `${platform} ${release}, ${architecture}`,
    runtime: `Node ${node}, V8 ${v8}`,
    commit: `${environment.commit ?? 'none'}${environment.dirty ? ', with changes' : ''}`,
    'busy before the run': `${Math.round(busyShare * 100)} % of all cores; load ${loadAverage}`,
    settings: `${settings.rounds} rounds, batches of ${settings.batchMs} ms, ${settings.warmupMs} ms warm-up, ${settings.measureMs} ms measured`,
  };
  return html`<section aria-labelledby="environment"><h2 id="environment">Environment</h2>
<dl>${Object.entries(facts).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></section>
`;
}

function commitWords({ commit, dirty }: Environment): string {
  return commit === undefined ? '' : `, commit ${commit.slice(0, 10)}${dirty ? ' with changes' : ''}`;
}
