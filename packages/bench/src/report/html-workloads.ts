/** Workloads on the page: how far each measured figure is from the claimed one, and why. */
import type { BenchmarkRecord, ClaimRecord } from '../record.ts';
import { at, between, renderRowChart } from './chart.ts';
import { formatTimes } from './format.ts';
import { anchorOf, renderTable } from './html-case.ts';
import { html, type Markup } from './markup.ts';
import { logScale } from './scale.ts';
import { claimWords, formatClaimed, formatMeasured, shortName } from './workloads.ts';

const tones: Readonly<Record<ClaimRecord['verdict'], string>> = {
  met: 'ahead',
  missed: 'behind',
  level: 'level',
  unclaimed: '',
};

export function renderWorkloadSection({ workloads = [] }: BenchmarkRecord): Markup | undefined {
  if (workloads.length === 0) return undefined;
  const claims = workloads.flatMap(({ name, claims: ofOne }) => ofOne.map((claim) => ({ name, claim })));
  const rows = claims.map(
    ({ name, claim }) => html`<tr><th scope="row"><a href="#${anchorOf(name)}">${shortName(name)}</a></th>
<td class="words">${claim.what}</td><td>${formatClaimed(claim)}</td><td class="${tones[claim.verdict]}">${formatMeasured(claim)}</td>
<td>${renderVerdict(claim)}</td></tr>
`,
  );
  return html`<section aria-labelledby="claims"><h2 id="claims">Claimed and measured</h2>
${renderClaimChart(claims)}
${renderTable({ caption: 'Each claim beside what was measured here', columns: ['workload', 'figure', 'claimed', 'measured', ''], rows, words: [1] })}
<dl>${claims.map(
    ({ name, claim }) => html`<dt>${shortName(name)}, ${claim.what}</dt>
<dd>${claim.reason} <span class="soft">Claimed: ${claim.source}.</span></dd>
`,
  )}</dl></section>
`;
}

function renderVerdict({ verdict }: ClaimRecord): Markup {
  return html`<span class="badge ${tones[verdict]}">${claimWords[verdict]}</span>`;
}

/** How many times better than claimed; what is worse lies left of 1×. */
function renderClaimChart(
  claims: readonly { readonly name: string; readonly claim: ClaimRecord }[],
): Markup | undefined {
  const bars = claims.flatMap(({ name, claim }) => {
    const { claimed, unit, measured, what } = claim;
    if (claimed === undefined) return [];
    const better = (figure: number) => {
      if (unit === 'timesExactly') return Math.min(claimed / figure, figure / claimed);
      return unit === 'nanoseconds' ? claimed / figure : figure / claimed;
    };
    const ends = [better(measured.low), better(measured.high)];
    const interval = { estimate: better(measured.estimate), low: Math.min(...ends), high: Math.max(...ends) };
    return [{ label: `${shortName(name)}: ${what}`, interval, claim }];
  });
  if (bars.length === 0) return undefined;
  const scale = logScale([...bars.flatMap(({ interval }) => [interval.low, interval.high]), 1]);
  return html`<figure><figcaption><h4>How many times better than claimed; left of 1× is worse</h4></figcaption>
${renderRowChart({
  id: 'claims-chart',
  title: 'Measured figures over claimed ones',
  description: bars
    .map(({ label, interval, claim }) => `${label}: ${formatTimes(interval.estimate)}, ${claimWords[claim.verdict]}`)
    .join('; '),
  scale,
  formatTick: formatTimes,
  guide: 1,
  rows: bars.map(({ label, interval, claim }) => ({
    label,
    figure: formatTimes(interval.estimate),
    tone: tones[claim.verdict],
    draw: (y) => {
      const [start, end] = interval.estimate < 1 ? [interval.estimate, 1] : [1, interval.estimate];
      return [
        html`<rect class="bar ${tones[claim.verdict]}" x="${at(scale, start)}" width="${between(scale, start, end)}" y="${y - 6}" height="12"/>
<line class="whisker" x1="${at(scale, interval.low)}" x2="${at(scale, interval.high)}" y1="${y}" y2="${y}"/>
`,
      ];
    },
  })),
})}</figure>
`;
}
