/** Rivals side by side: each one's time over ours, with its interval, on a logarithmic axis that always shows 1×. */
import type { CaseRecord } from '../record.ts';
import { at, between, renderRowChart } from './chart.ts';
import { formatRatio, formatTimes } from './format.ts';
import { html, type Markup } from './markup.ts';
import { logScale } from './scale.ts';
import { type Rival, rivalsOf } from './standing.ts';

export function renderRivalsChart(id: string, entry: CaseRecord): Markup | undefined {
  const rivals = [...rivalsOf(entry)].sort((left, right) => left.times.estimate - right.times.estimate);
  if (rivals.length === 0) return undefined;
  const values = rivals.flatMap(({ times }) => [times.low, times.high, times.estimate]).filter((value) => value > 0);
  const scale = logScale([...values, 1]);
  return renderRowChart({
    id,
    title: `Time of each rival over ${entry.reference}: ${entry.name}`,
    description: rivals.map((rival) => `${rival.name} ${describe(rival, entry.reference)}`).join('; '),
    scale,
    formatTick: formatTimes,
    guide: 1,
    rows: rivals.map((rival) => ({
      label: rival.name,
      figure: formatRatio(rival.times),
      tone: toneOf(rival),
      draw: (y) => {
        const { low, high, estimate } = rival.times;
        const [start, end] = estimate < 1 ? [estimate, 1] : [1, estimate];
        return [
          html`<rect class="bar ${toneOf(rival)}" x="${at(scale, start)}" width="${between(scale, start, end)}" y="${y - 6}" height="12"/>
<line class="whisker" x1="${at(scale, low)}" x2="${at(scale, high)}" y1="${y}" y2="${y}"/>
<line class="whisker" x1="${at(scale, low)}" x2="${at(scale, low)}" y1="${y - 4}" y2="${y + 4}"/>
<line class="whisker" x1="${at(scale, high)}" x2="${at(scale, high)}" y1="${y - 4}" y2="${y + 4}"/>
`,
        ];
      },
    })),
  });
}

/** `takes 2.50× (2.41–2.63) as long as cadre` */
function describe({ times, standing, isRival }: Rival, reference: string): string {
  const word = { ahead: 'slower', behind: 'FASTER', level: 'level' }[standing];
  return `takes ${formatRatio(times)} as long as ${reference}: ${isRival ? word : 'not a rival'}`;
}

function toneOf({ standing, isRival }: Rival): string {
  return isRival ? standing : 'limit';
}
