/** Answers: what did authors leave for later, switch off, or forget to resolve? */
import type { Collected } from './collect.ts';
import { type Analysis, analysis, type Finding, type FindingKind, plural, type Severity } from './finding.ts';
import { roleOf } from './role.ts';
import type { MarkerFact, TextFacts } from './text-facts.ts';

export interface LeftoverMeasures {
  readonly counts: Readonly<Record<string, number>>;
  readonly total: number;
}

const EFFORTS: Readonly<Record<MarkerFact['word'], { kind: FindingKind; severity: Severity; reason: string }>> = {
  conflict: {
    kind: 'merge-conflict',
    severity: 'high',
    reason: "A merge was committed with git's marks still in the file.",
  },
  FIXME: { kind: 'marker', severity: 'medium', reason: 'Its author knew this to be wrong.' },
  BUG: { kind: 'marker', severity: 'medium', reason: 'Its author knew this to be wrong.' },
  XXX: { kind: 'marker', severity: 'low', reason: 'Its author was in doubt about this.' },
  HACK: { kind: 'marker', severity: 'low', reason: 'Its author meant to do this properly one day.' },
  TODO: { kind: 'marker', severity: 'low', reason: 'Work that only this comment remembers.' },
  suppression: {
    kind: 'suppression',
    severity: 'low',
    reason: 'A check is switched off here; what it would say is not seen any more.',
  },
};

export function analyseLeftovers(needs: { readonly text: Collected<TextFacts> }): Analysis<LeftoverMeasures> {
  const counts: Record<string, number> = {};
  const findings: Finding[] = [];
  for (const file of needs.text.files) {
    if (file.generated || roleOf(file.path) === 'fixture' || roleOf(file.path) === 'generated') continue;
    for (const marker of file.markers) counts[marker.word] = (counts[marker.word] ?? 0) + 1;
    findings.push(
      ...file.markers.filter((marker) => marker.word !== 'suppression').map((marker) => findingFor(file.path, marker)),
    );
    const suppressions = file.markers.filter((marker) => marker.word === 'suppression');
    if (suppressions.length > 0) findings.push(suppressionFinding(file.path, suppressions));
  }
  const ordered = Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
  return analysis(
    findings,
    { counts: ordered, total: Object.values(counts).reduce((sum, count) => sum + count, 0) },
    needs.text.notes,
  );
}

function findingFor(file: string, marker: MarkerFact): Finding {
  const { kind, severity, reason } = EFFORTS[marker.word];
  return {
    kind,
    severity,
    file,
    line: marker.line,
    title: marker.text,
    reason,
    effort: marker.word === 'TODO' || marker.word === 'conflict' ? 'minutes' : 'hours',
  };
}

function suppressionFinding(file: string, markers: readonly MarkerFact[]): Finding {
  const [first] = markers;
  return {
    kind: 'suppression',
    severity: 'low',
    file,
    line: first?.line ?? null,
    title:
      markers.length === 1
        ? (first?.text ?? '')
        : `${plural(markers.length, 'check')} switched off, the first: ${first?.text ?? ''}`,
    reason: EFFORTS.suppression.reason,
    effort: 'minutes',
    ...(markers.length > 1 && { related: markers.slice(0, 20).map(({ line }) => ({ file, line })) }),
  };
}
