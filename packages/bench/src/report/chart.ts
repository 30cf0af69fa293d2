/**
 * The frame that all charts share: horizontal rows with their label above them, places in per cent and letters in
 * pixels, so that a chart can be read at any width. Colours are classes; `page-style.ts` gives them their values.
 */
import { html, type Markup } from './markup.ts';
import type { Scale } from './scale.ts';

export interface ChartRow {
  readonly label: string;
  /** At the end of the label's line. */
  readonly figure: string;
  readonly tone?: string | undefined;
  /** Marks around the height `y`, in pixels. */
  draw(y: number): readonly Markup[];
}

export interface RowChart {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** What a reader who can't see the chart should know of it. */
  readonly description: string;
  readonly scale: Scale;
  readonly formatTick: (value: number) => string;
  readonly rows: readonly ChartRow[];
  /** A value that is marked in every row. */
  readonly guide?: number;
}

const rowHeight = 44;
const axisHeight = 26;

export function renderRowChart({ id, title, description, scale, formatTick, rows, guide }: RowChart): Markup {
  const bottom = rows.length * rowHeight + 4;
  const ticks = scale.ticks.map(
    (tick) => html`<line class="grid" x1="${at(scale, tick)}" x2="${at(scale, tick)}" y1="0" y2="${bottom}"/>
<text class="tick" x="${at(scale, tick)}" y="${bottom + 17}" text-anchor="middle">${formatTick(tick)}</text>
`,
  );
  // Not through the labels.
  const line =
    guide === undefined
      ? undefined
      : rows.map((_, index) => {
          const top = index * rowHeight;
          return html`<line class="guide" x1="${at(scale, guide)}" x2="${at(scale, guide)}" y1="${top + 19}" y2="${top + 39}"/>
`;
        });
  const drawn = rows.map(({ label, figure, tone, draw }, index) => {
    const top = index * rowHeight;
    return html`<text class="label" x="0" y="${top + 14}">${shorten(label, 40)}</text>
<text class="figure ${tone}" x="100%" y="${top + 14}" text-anchor="end">${figure}</text>
${draw(top + 29)}`;
  });
  return renderSvg({ id, title, description, height: bottom + axisHeight, content: [ticks, drawn, line] });
}

export function renderSvg(chart: {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly height: number;
  readonly content: Parameters<typeof html>[1];
}): Markup {
  const { id, title, description, height, content } = chart;
  return html`<svg role="img" aria-labelledby="${id}-title ${id}-description" width="100%" height="${height}">
<title id="${id}-title">${title}</title>
<desc id="${id}-description">${description}</desc>
${content}</svg>
`;
}

export function at(scale: Scale, value: number): string {
  return percentOf(scale.place(value));
}

/** The distance between two values. */
export function between(scale: Scale, low: number, high: number): string {
  return percentOf(Math.max(0, scale.place(high) - scale.place(low)));
}

export function percentOf(share: number): string {
  return `${Number(share.toFixed(3))}%`;
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
