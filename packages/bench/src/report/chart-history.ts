/** One case over the releases: its ratio to the control, which carries over from machine to machine. */
import { percentOf, renderSvg } from './chart.ts';
import { formatRatio, formatTimes } from './format.ts';
import type { CaseHistory } from './history.ts';
import { html, type Markup } from './markup.ts';
import { fitScale } from './scale.ts';

const height = 150;
const bottom = height - 26;

/** Undefined while there is only one point: nothing to see in it. */
export function renderHistoryChart(id: string, { name, points }: CaseHistory): Markup | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 2) return undefined;
  const scale = fitScale(
    points.flatMap(({ ratio }) => [ratio.low, ratio.high]),
    3,
  );
  const y = (value: number) => Number((bottom - (scale.place(value) / 100) * bottom).toFixed(1));
  const x = (index: number) => percentOf(8 + (index / (points.length - 1)) * 86);
  const grid = scale.ticks.map(
    (tick) => html`<line class="grid" x1="0" x2="100%" y1="${y(tick)}" y2="${y(tick)}"/>
<text class="tick" x="0" y="${y(tick) - 3}">${formatTimes(tick)}</text>
`,
  );
  const lines = points.slice(1).map((point, index) => {
    const before = points[index] ?? point;
    // A case that was rewritten is another case: its figures don't continue the old ones.
    if (before.hash !== point.hash) return undefined;
    return html`<line class="trend" x1="${x(index)}" x2="${x(index + 1)}" y1="${y(before.ratio.estimate)}" y2="${y(point.ratio.estimate)}"/>
`;
  });
  const marks = points.map(
    ({ ratio, isBaseline }, index) =>
      html`<line class="whisker" x1="${x(index)}" x2="${x(index)}" y1="${y(ratio.low)}" y2="${y(ratio.high)}"/>
<circle class="${isBaseline ? 'release' : 'trial'}" cx="${x(index)}" cy="${y(ratio.estimate)}" r="${isBaseline ? 5 : 3.5}"/>
`,
  );
  const ends = html`<text class="tick" x="${x(0)}" y="${height - 8}" text-anchor="start">${first.label}</text>
<text class="tick" x="100%" y="${height - 8}" text-anchor="end">${last.label}</text>
`;
  return renderSvg({
    id,
    title: `Ratio to the control over releases: ${name}`,
    description: points
      .map(({ label, at: day, ratio }) => `${day.slice(0, 10)} ${label}: ${formatRatio(ratio)}`)
      .join('; '),
    height,
    content: [grid, lines, marks, ends],
  });
}
