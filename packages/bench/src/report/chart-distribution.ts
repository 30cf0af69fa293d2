/** Every round of every variant as a dot, with the median and the interval that holds it. */
import { type CaseRecord, roundFigures } from '../record.ts';
import { medianInterval } from '../stats.ts';
import { at, between, renderRowChart } from './chart.ts';
import { formatDuration, formatDurationTick } from './format.ts';
import { html, type Markup } from './markup.ts';
import { fitScale } from './scale.ts';

export function renderDistributionChart(id: string, entry: CaseRecord): Markup {
  const variants = Object.entries(entry.variants).map(([name, variant]) => {
    const figures = roundFigures(variant).map((figure) => figure / entry.unitsPerIteration);
    return { name, figures, middle: medianInterval(figures) };
  });
  const scale = fitScale(
    variants.flatMap(({ figures }) => figures),
    4,
  );
  return renderRowChart({
    id,
    title: `Every round, time per ${entry.unit}: ${entry.name}`,
    description: variants
      .map(
        ({ name, figures, middle }) =>
          `${name}: median ${formatDuration(middle.estimate)}, ` +
          `rounds from ${formatDuration(Math.min(...figures))} to ${formatDuration(Math.max(...figures))}`,
      )
      .join('; '),
    scale,
    formatTick: formatDurationTick,
    rows: variants.map(({ name, figures, middle }) => ({
      label: name,
      figure: formatDuration(middle.estimate),
      tone: name === entry.reference ? 'own' : undefined,
      draw: (y) => [
        html`<rect class="interval" x="${at(scale, middle.low)}" width="${between(scale, middle.low, middle.high)}" y="${y - 9}" height="18"/>
`,
        ...figures.map(
          (figure, round) =>
            html`<circle class="dot${name === entry.reference ? ' own' : ''}" cx="${at(scale, figure)}" cy="${y + ((round % 3) - 1) * 5}" r="3"/>
`,
        ),
        html`<line class="median" x1="${at(scale, middle.estimate)}" x2="${at(scale, middle.estimate)}" y1="${y - 11}" y2="${y + 11}"/>
`,
      ],
    })),
  });
}
