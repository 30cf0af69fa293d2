/** What both reports are written from. */
import type { Scorecard, ScorecardNeeds } from './scorecard.ts';

export interface ReportNeeds extends ScorecardNeeds {
  readonly scorecard: Scorecard;
}

/** How each kind of finding is called in a heading. */
export function kindTitle(kind: string): string {
  const words = kind.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The agents that answered, for readers who ask where a figure comes from. */
export const HOW = [
  'JavaScript and TypeScript were parsed into syntax trees; other languages are judged by their lines, history and copies only.',
  'No type checker and no test was run: tests and documents are judged by names and imports.',
  'Complexity is cognitive complexity (SonarSource, limit 15); copies are found by winnowed fingerprints of 40 tokens; cycles count only imports that load at once.',
] as const;
