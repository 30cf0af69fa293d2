/** One case on the page: its question, what it says, its charts, and every figure in tables. */
import { type CaseRecord, roundFigures, type VariantRecord } from '../record.ts';
import { median } from '../stats.ts';
import { renderDistributionChart } from './chart-distribution.ts';
import { renderHistoryChart } from './chart-history.ts';
import { renderRivalsChart } from './chart-rivals.ts';
import { formatDuration, formatMebibytes, formatRatio } from './format.ts';
import type { CaseHistory } from './history.ts';
import { html, type Markup } from './markup.ts';
import { caseStanding, rivalsOf, type Standing } from './standing.ts';

export interface CaseView {
  readonly entry: CaseRecord;
  readonly history: CaseHistory | undefined;
  /** Measures this case again. */
  readonly command: string;
}

const standingWords: Readonly<Record<Standing, string>> = {
  ahead: 'faster than every rival',
  level: 'level with a rival',
  behind: 'slower than a rival',
};

/** An id that links within the page point to. */
export function anchorOf(name: string): string {
  return `case-${name.replaceAll(/[^\w-]+/g, '-')}`;
}

export function renderCaseArticle({ entry, history, command }: CaseView): Markup {
  const anchor = anchorOf(entry.name);
  const charts = [
    {
      title: `Time of each rival, ${entry.reference} = 1×, with 95 % intervals`,
      chart: renderRivalsChart(`${anchor}-rivals`, entry),
    },
    { title: `Every round, time per ${entry.unit}`, chart: renderDistributionChart(`${anchor}-rounds`, entry) },
    {
      title: 'Ratio to the control over releases (filled) and trials (hollow)',
      chart: history === undefined ? undefined : renderHistoryChart(`${anchor}-history`, history),
    },
  ];
  return html`<article id="${anchor}" aria-labelledby="${anchor}-name">
<h3 id="${anchor}-name">${entry.name} ${renderBadge(caseStanding(entry))}</h3>
<p>${entry.question}</p>
<div class="charts">
${charts.map(({ title, chart }) =>
  chart === undefined
    ? undefined
    : html`<figure><figcaption><h4>${title}</h4></figcaption>
${chart}</figure>
`,
)}</div>
${renderFigures(entry)}
<details><summary>Raw rounds</summary>
${renderRounds(entry)}</details>
${history === undefined || history.points.length < 2 ? undefined : renderHistoryTable(history)}
<p class="command"><code>${command}</code></p>
</article>
`;
}

export function renderBadge(standing: Standing | undefined): Markup | undefined {
  return standing === undefined ? undefined : html`<span class="badge ${standing}">${standingWords[standing]}</span>`;
}

/** A table that scrolls inside itself where the page is narrow; by the keyboard too. */
export function renderTable(table: {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly Markup[];
  /** Columns of words, which begin at the left; the first always does. */
  readonly words?: readonly number[];
}): Markup {
  const { caption, columns, rows, words = [] } = table;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>
<caption><span>${caption}</span></caption>
<thead><tr>${columns.map((column, index) => html`<th scope="col" class="${words.includes(index) ? 'words' : ''}">${column}</th>`)}</tr></thead>
<tbody>
${rows}</tbody></table></div>
`;
}

function renderFigures(entry: CaseRecord): Markup {
  const rivals = rivalsOf(entry);
  const rows = Object.entries(entry.variants).map(([name, variant]) => {
    const rival = rivals.find((candidate) => candidate.name === name);
    return html`<tr class="${rival === undefined ? 'own' : ''}"><th scope="row">${name}</th>
<td>${formatDuration(variant.nanosecondsPerUnit)}</td>
<td class="${rival?.isRival ? rival.standing : ''}">${rival === undefined ? '1' : formatRatio(rival.times)}</td>
<td>${formatRatio(variant.ratioToControl)}</td><td>${formatMebibytes(median(variant.peakRssBytes))}</td></tr>
`;
  });
  return renderTable({
    caption: `Medians of ${roundCount(entry)} rounds, 95 % intervals in brackets; the control is "${entry.control}"`,
    columns: ['variant', `per ${entry.unit}`, `time, ${entry.reference} = 1`, 'time over the control', 'peak memory'],
    rows,
  });
}

function renderRounds(entry: CaseRecord): Markup {
  const rounds = Array.from({ length: roundCount(entry) }, (_, round) => `${round + 1}`);
  const rows = Object.entries(entry.variants).map(
    ([
      name,
      variant,
    ]) => html`<tr><th scope="row">${name}</th>${perUnit(variant, entry).map((figure) => html`<td>${formatDuration(figure)}</td>`)}</tr>
`,
  );
  return renderTable({ caption: `Time per ${entry.unit} in each round`, columns: ['variant', ...rounds], rows });
}

function renderHistoryTable({ points }: CaseHistory): Markup {
  const rows = points.map(
    ({ at, label, ratio, hash, isBaseline }) => html`<tr><th scope="row">${label}</th><td>${at.slice(0, 10)}</td>
<td>${isBaseline ? 'baseline' : 'trial'}</td><td>${formatRatio(ratio)}</td><td>${hash.slice(0, 8)}</td></tr>
`,
  );
  return html`<details><summary>History as a table</summary>
${renderTable({ caption: 'Ratio to the control; another hash is another case', columns: ['release', 'measured', 'kind', 'time over the control', 'case'], rows })}</details>`;
}

function perUnit(variant: VariantRecord, { unitsPerIteration }: CaseRecord): readonly number[] {
  return roundFigures(variant).map((figure) => figure / unitsPerIteration);
}

function roundCount({ variants }: CaseRecord): number {
  return Math.max(0, ...Object.values(variants).map(({ samples }) => samples.length));
}
