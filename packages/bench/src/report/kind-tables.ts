/** What is shown of a case that is not timed, as a table of cells: each report draws it in its own way. */
import type { KindRecord, LeakRecord, LoadRecord, MemoryRecord, ScenarioRecord, SizeRecord } from '../kind-records.ts';
import { fitLine } from '../regression.ts';
import { type Interval, median } from '../stats.ts';
import { formatDuration } from './format.ts';

export interface KindTable {
  /** The first column is text; all others are figures, but for those in `textColumns`. */
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly textColumns: readonly number[];
  /** Sentences below the table. */
  readonly notes: readonly string[];
}

export function kindTable(record: KindRecord): KindTable {
  switch (record.kind) {
    case 'load':
      return loadTable(record);
    case 'memory':
      return memoryTable(record);
    case 'leak':
      return leakTable(record);
    case 'scenario':
      return scenarioTable(record);
    case 'size':
      return sizeTable(record);
  }
}

function loadTable({ variants, ratePerSecond }: LoadRecord): KindTable {
  const rows = Object.entries(variants).map(([variant, { latency, achievedPerSecond }]) => [
    variant,
    ...[latency.p50, latency.p95, latency.p99, latency.p999].map((rounds) => formatDuration(median(rounds))),
    formatDuration(Math.max(...latency.max)),
    `${formatCount(median(achievedPerSecond))}/s`,
  ]);
  return {
    header: ['variant', 'p50', 'p95', 'p99', 'p99.9', 'max', 'rate'],
    rows,
    textColumns: [0],
    notes: [
      `At ${formatCount(ratePerSecond)} a second; latencies from the moment each was due, medians of the rounds.`,
    ],
  };
}

function memoryTable({ variants, unit }: MemoryRecord): KindTable {
  const rows = Object.entries(variants).map(([variant, figures]) => [
    variant,
    formatInterval(figures.bytesPerItem),
    formatInterval(slopeOf(figures.items, figures.heapBytes)),
    formatInterval(slopeOf(figures.items, figures.externalBytes)),
    formatCount(figures.fixedBytes),
  ]);
  return {
    header: ['variant', `bytes per ${unit}`, 'on the heap', 'outside', 'fixed bytes'],
    rows,
    textColumns: [0],
    notes: [],
  };
}

function slopeOf(items: readonly number[], bytes: readonly number[]): Interval {
  return fitLine(items.map((x, index) => ({ x, y: bytes[index] ?? 0 }))).slope;
}

function leakTable({ variants, unit }: LeakRecord): KindTable {
  const rows = Object.entries(variants).map(([variant, { verdict, judgements }]) => [
    variant,
    verdict === 'leak' ? 'LEAK' : verdict,
    formatCount(median(judgements.map(({ heapBytesPerCycle }) => heapBytesPerCycle.estimate))),
    formatCount(median(judgements.map(({ residentBytesPerCycle }) => residentBytesPerCycle.estimate))),
    formatCount(median(judgements.map(({ descriptorsPerCycle }) => descriptorsPerCycle?.estimate ?? 0))),
  ]);
  const notes = Object.entries(variants).flatMap(([variant, { verdict, judgements }]) => {
    const reason = judgements.find((judgement) => judgement.verdict === verdict)?.reason;
    return verdict === 'no leak' || reason === undefined ? [] : [`${variant}: ${reason}`];
  });
  return {
    header: ['variant', 'verdict', `heap bytes per ${unit}`, 'resident bytes', 'descriptors'],
    rows,
    textColumns: [0, 1],
    notes,
  };
}

function scenarioTable({ variants }: ScenarioRecord): KindTable {
  const rows = Object.entries(variants).flatMap(([variant, { phases }]) =>
    phases.map(({ name, requests, failed, latency }) => [
      `${variant}, ${name}`,
      formatCount(requests),
      formatCount(failed),
      ...(['p50', 'p99', 'max'] as const).map((figure) =>
        latency === undefined ? '' : formatDuration(latency[figure]),
      ),
    ]),
  );
  const notes = Object.entries(variants).flatMap(([variant, { faults, violations, phases }]) => [
    ...faults.map(({ name, firedAtMs }) => `${variant}: ${name} at ${formatCount(firedAtMs)} ms`),
    ...phases.flatMap(({ name, errors }) =>
      Object.entries(errors).map(([error, count]) => `${variant}, ${name}: ${formatCount(count)} × ${error}`),
    ),
    ...violations.map(
      ({ invariant, phase, message }) => `${variant}: VIOLATED ${invariant} after ${phase}: ${message}`,
    ),
  ]);
  return { header: ['phase', 'requests', 'failed', 'p50', 'p99', 'max'], rows, textColumns: [0], notes };
}

function sizeTable({ packageName, size }: SizeRecord): KindTable {
  const { packedBytes, unpackedBytes, files, doors } = size;
  const rows = [
    [packageName, formatCount(packedBytes), formatCount(unpackedBytes), ''],
    ...Object.entries(doors).map(([door, { distBytes, bundleBytes, gzipBytes }]) => [
      door,
      gzipBytes === undefined ? '' : formatCount(gzipBytes),
      formatCount(distBytes),
      bundleBytes === undefined ? '' : formatCount(bundleBytes),
    ]),
  ];
  const notes = [`${files} files. A door is bundled and minified without the packages it depends on.`];
  return { header: ['bytes of', 'packed', 'unpacked', 'minified'], rows, textColumns: [0], notes };
}

function formatInterval({ estimate, low, high }: Interval): string {
  return low === high ? formatCount(estimate) : `${formatCount(estimate)} (${formatCount(low)}–${formatCount(high)})`;
}

function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const small = Math.abs(value) < 10 && !Number.isInteger(value);
  return small ? String(Number(value.toPrecision(2))) : Math.round(value).toLocaleString('en');
}
