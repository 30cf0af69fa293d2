/** A chart for each kind of case that is not timed: percentiles, bytes an item, growth a cycle, phases, doors. */
import type { KindRecord, LeakRecord, LoadRecord, MemoryRecord, ScenarioRecord, SizeRecord } from '../kind-records.ts';
import { type LatencyFigure, latencyFigures } from '../kinds/load.ts';
import { type Interval, median } from '../stats.ts';
import { at, between, type ChartRow, renderRowChart } from './chart.ts';
import { formatDuration, formatDurationTick } from './format.ts';
import { html, type Markup } from './markup.ts';
import { fitScale, logScale, type Scale } from './scale.ts';

export interface KindChart {
  readonly title: string;
  readonly chart: Markup;
}

/** Undefined where there is nothing to draw: no phase that was answered, no door. */
export function renderKindChart(id: string, entry: KindRecord): KindChart | undefined {
  switch (entry.kind) {
    case 'load':
      return loadChart(id, entry);
    case 'memory':
      return memoryChart(id, entry);
    case 'leak':
      return leakChart(id, entry);
    case 'scenario':
      return scenarioChart(id, entry);
    case 'size':
      return sizeChart(id, entry);
  }
}

function loadChart(id: string, { name, variants, reference }: LoadRecord): KindChart {
  const rows = Object.entries(variants).map(([variant, { latency }]) => ({
    label: variant,
    tone: variant === reference ? 'own' : undefined,
    latency: mapLatency((figure) => median(latency[figure])),
  }));
  return percentileChart(id, `Latency from the moment a request was due: ${name}`, rows);
}

function scenarioChart(id: string, { name, variants }: ScenarioRecord): KindChart | undefined {
  const rows = Object.entries(variants).flatMap(([variant, { phases }]) =>
    phases.flatMap((phase) =>
      phase.latency === undefined
        ? []
        : [
            {
              label: `${variant}, ${phase.name}: ${phase.failed} of ${phase.requests} failed`,
              tone: phase.failed > 0 ? 'behind' : undefined,
              latency: phase.latency,
            },
          ],
    ),
  );
  return rows.length === 0 ? undefined : percentileChart(id, `Latency in each phase: ${name}`, rows);
}

/** From p50 to the longest, one mark for each percentile; p99 at the end of the label's line. */
function percentileChart(
  id: string,
  title: string,
  entries: readonly {
    readonly label: string;
    readonly tone: string | undefined;
    readonly latency: Readonly<Record<LatencyFigure, number>>;
  }[],
): KindChart {
  const scale = logScale(entries.flatMap(({ latency }) => Object.values(latency)).map((value) => Math.max(1, value)));
  const place = (value: number) => at(scale, Math.max(1, value));
  const chart = renderRowChart({
    id,
    title,
    description: entries.map(({ label, latency }) => `${label}: ${describe(latency)}`).join('; '),
    scale,
    formatTick: formatDurationTick,
    rows: entries.map(({ label, tone, latency }) => ({
      label,
      figure: `p99 ${formatDuration(latency.p99)}`,
      tone,
      draw: (y) => [
        html`<line class="whisker" x1="${place(latency.p50)}" x2="${place(latency.max)}" y1="${y}" y2="${y}"/>
<line class="median" x1="${place(latency.p50)}" x2="${place(latency.p50)}" y1="${y - 9}" y2="${y + 9}"/>
`,
        ...(['p95', 'p99', 'p999'] as const).map(
          (figure, index) => html`<circle class="dot own" cx="${place(latency[figure])}" cy="${y}" r="${5 - index}"/>
`,
        ),
        html`<circle class="trial" cx="${place(latency.max)}" cy="${y}" r="3"/>
`,
      ],
    })),
  });
  return { title: 'Latency: p50 (line), p95, p99, p99.9 (smaller and smaller dots), longest (ring)', chart };
}

function memoryChart(id: string, { name, unit, variants, reference }: MemoryRecord): KindChart {
  const rows = Object.entries(variants).map(([variant, { bytesPerItem }]) => ({ variant, interval: bytesPerItem }));
  return intervalChart(id, `Bytes kept for each ${unit}: ${name}`, `Bytes kept for each ${unit}`, rows, reference);
}

function leakChart(id: string, entry: LeakRecord): KindChart {
  const rows = Object.entries(entry.variants).flatMap(([variant, { verdict, judgements }]) =>
    judgements.map(({ heapBytesPerCycle }, index) => ({
      variant: `${variant}, process ${index + 1}: ${verdict}`,
      interval: heapBytesPerCycle,
    })),
  );
  const title = `Growth of the heap for each ${entry.unit}, dashed what is tolerated`;
  return intervalChart(id, `${title}: ${entry.name}`, title, rows, entry.reference, entry.toleratedBytesPerCycle);
}

function intervalChart(
  id: string,
  title: string,
  heading: string,
  rows: readonly { readonly variant: string; readonly interval: Interval }[],
  reference: string,
  guide?: number,
): KindChart {
  const values = [...rows.flatMap(({ interval }) => [interval.low, interval.high]), 0];
  const scale = fitScale(guide === undefined ? values : [...values, guide], 4);
  const chart = renderRowChart({
    id,
    title,
    description: rows.map(({ variant, interval }) => `${variant}: ${describeBytes(interval)}`).join('; '),
    scale,
    formatTick: formatBytes,
    ...(guide === undefined ? {} : { guide }),
    rows: rows.map(({ variant, interval }) => ({
      label: variant,
      figure: formatBytes(interval.estimate),
      tone: variant === reference ? 'own' : undefined,
      draw: (y) => [bar(scale, interval.estimate, y, variant === reference ? 'own' : ''), whisker(scale, interval, y)],
    })),
  });
  return { title: heading, chart };
}

function sizeChart(id: string, { name, size }: SizeRecord): KindChart | undefined {
  const weights: readonly (readonly [string, number])[] = [
    ['packed', size.packedBytes],
    ['unpacked', size.unpackedBytes],
    ...Object.entries(size.doors).map(([door, { distBytes }]) => [`door ${door}, built`, distBytes] as const),
    ...Object.entries(size.doors).flatMap(([door, { gzipBytes }]) =>
      gzipBytes === undefined ? [] : [[`door ${door}, minified, gzip`, gzipBytes] as const],
    ),
  ];
  const scale = fitScale([0, ...weights.map(([, bytes]) => bytes)], 4);
  const rows: readonly ChartRow[] = weights.map(([label, bytes]) => ({
    label,
    figure: formatBytes(bytes),
    draw: (y) => [bar(scale, bytes, y, '')],
  }));
  const chart = renderRowChart({
    id,
    title: `Size: ${name}`,
    description: weights.map(([label, bytes]) => `${label} ${formatBytes(bytes)}`).join('; '),
    scale,
    formatTick: formatBytes,
    rows,
  });
  return { title: 'Bytes', chart };
}

function bar(scale: Scale, value: number, y: number, tone: string): Markup {
  const [start, end] = value < 0 ? [value, 0] : [0, value];
  return html`<rect class="bar ${tone}" x="${at(scale, start)}" width="${between(scale, start, end)}" y="${y - 6}" height="12"/>
`;
}

function whisker(scale: Scale, { low, high }: Interval, y: number): Markup {
  return html`<line class="whisker" x1="${at(scale, low)}" x2="${at(scale, high)}" y1="${y}" y2="${y}"/>
`;
}

function mapLatency(of: (figure: LatencyFigure) => number): Record<LatencyFigure, number> {
  const names = Object.keys(latencyFigures) as LatencyFigure[];
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<LatencyFigure, number>;
}

function describe({ p50, p95, p99, p999, max }: Readonly<Record<LatencyFigure, number>>): string {
  const [half, most, nearly, almost, longest] = [p50, p95, p99, p999, max].map(formatDuration);
  return `p50 ${half}, p95 ${most}, p99 ${nearly}, p99.9 ${almost}, longest ${longest}`;
}

function describeBytes({ estimate, low, high }: Interval): string {
  return `${formatBytes(estimate)} (${formatBytes(low)} to ${formatBytes(high)})`;
}

function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  if (size < 1024) return `${Number(bytes.toPrecision(3))} B`;
  if (size < 2 ** 20) return `${Number((bytes / 1024).toPrecision(3))} KiB`;
  return `${Number((bytes / 2 ** 20).toPrecision(3))} MiB`;
}
