/** The report's charts: plain SVG, coloured by the page's own variables, each with a text that says what it shows. */
import { type Html, html } from './html.ts';

export interface Bar {
  readonly label: string;
  /** Parts of the bar from left to right; `tone` names a colour of the page. */
  readonly parts: readonly { readonly value: number; readonly tone: string; readonly title: string }[];
  readonly note: string;
}

/** Horizontal bars, one row each; labels and notes are text of the page, so they wrap and scale with it. */
export function barChart(bars: readonly Bar[], title: string): Html {
  const most = Math.max(1, ...bars.map((bar) => bar.parts.reduce((sum, part) => sum + part.value, 0)));
  return html`<ul class="bars" aria-label="${title}">${bars.map((bar) => {
    let at = 0;
    const rects = bar.parts
      .filter((part) => part.value > 0)
      .map((part) => {
        const width = (100 * part.value) / most;
        const rect = html`<rect x="${round(at)}%" width="${round(width)}%" height="100%" class="${part.tone}"><title>${part.title}</title></rect>`;
        at += width;
        return rect;
      });
    return html`<li><span class="label" title="${bar.label}">${bar.label}</span><svg role="img" aria-label="${bar.note}" height="14" width="100%">${rects}</svg><span class="note">${bar.note}</span></li>`;
  })}</ul>`;
}

export interface Dot {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly label: string;
  readonly tone: string;
}

/** Dots over two logarithmic axes: few values are large, and on plain axes all others would lie on one heap. */
export function scatterChart(
  dots: readonly Dot[],
  axes: { readonly x: string; readonly y: string; readonly title: string },
): Html {
  const width = 720;
  const height = 360;
  const [left, right, top, bottom] = [52, 16, 14, 42];
  const maxX = Math.max(2, ...dots.map((dot) => dot.x));
  const maxY = Math.max(2, ...dots.map((dot) => dot.y));
  const placeX = (value: number) => left + ((width - left - right) * Math.log1p(value)) / Math.log1p(maxX);
  const placeY = (value: number) => height - bottom - ((height - top - bottom) * Math.log1p(value)) / Math.log1p(maxY);
  const named = withRoom([...dots].sort((a, b) => b.x * b.y - a.x * a.y).slice(0, 12), (dot) => [
    placeX(dot.x),
    placeY(dot.y),
  ]);
  return html`<svg class="scatter" role="img" aria-label="${axes.title}" viewBox="0 0 ${width} ${height}">
<g class="grid">${ticks(maxX).map((tick) => html`<line x1="${round(placeX(tick))}" x2="${round(placeX(tick))}" y1="${top}" y2="${height - bottom}"/><text x="${round(placeX(tick))}" y="${height - bottom + 16}" text-anchor="middle">${tick}</text>`)}
${ticks(maxY).map((tick) => html`<line x1="${left}" x2="${width - right}" y1="${round(placeY(tick))}" y2="${round(placeY(tick))}"/><text x="${left - 8}" y="${round(placeY(tick) + 4)}" text-anchor="end">${tick}</text>`)}</g>
<text class="axis" x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">${axes.x}</text>
<text class="axis" transform="translate(13 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${axes.y}</text>
${dots.map((dot) => html`<circle cx="${round(placeX(dot.x))}" cy="${round(placeY(dot.y))}" r="${round(dot.size)}" class="${dot.tone}"><title>${dot.label}</title></circle>`)}
${named.map((dot) => {
  const atRight = placeX(dot.x) > width * 0.7;
  const name = dot.label.split(':')[0]?.split('/').at(-1) ?? '';
  return html`<text class="name" x="${round(placeX(dot.x) + (atRight ? -dot.size - 4 : dot.size + 4))}" y="${round(placeY(dot.y) + 4)}" text-anchor="${atRight ? 'end' : 'start'}">${name.slice(0, 40)}</text>`;
})}</svg>`;
}

/** The dots whose names can be read: one that would be written over an earlier one has its name in its tooltip only. */
function withRoom(dots: readonly Dot[], placeOf: (dot: Dot) => readonly [number, number]): readonly Dot[] {
  const placed: (readonly [number, number])[] = [];
  return dots.filter((dot) => {
    const [x, y] = placeOf(dot);
    if (placed.some(([otherX, otherY]) => Math.abs(x - otherX) < 150 && Math.abs(y - otherY) < 16)) return false;
    placed.push([x, y]);
    return true;
  });
}

function ticks(most: number): readonly number[] {
  const all = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000].filter((tick) => tick <= most);
  const step = Math.ceil(all.length / 7);
  return all.filter((_, index) => (all.length - 1 - index) % step === 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
