/** The report as Markdown. Names of files and what stands in comments are strangers' text: none of it may become markup. */
import { plural } from './finding.ts';
import type { RankedFinding } from './rank.ts';
import { HOW, kindTitle, type ReportNeeds } from './report.ts';

const MAX_LISTED = 200;

export function markdownReport(needs: ReportNeeds): string {
  const { scorecard, rank, folders, changes, complexity, sizes } = needs;
  const history = changes.measures;
  const lines = [
    `# Audit of ${plain(scorecard.name)}`,
    '',
    `${scorecard.headline}.`,
    '',
    ...(history.available && history.lastDay !== null
      ? [
          `${plural(history.commits, 'commit')} by ${plural(history.authors, 'author')}, ${history.firstDay} to ${history.lastDay}.`,
          '',
        ]
      : []),
    '## Marks',
    '',
    ...table(
      ['Side', 'Mark', 'Figure', 'Rule'],
      scorecard.scores.map((score) => [score.side, score.mark, plain(score.figure), plain(score.rule)]),
    ),
    '## Folders',
    '',
    ...table(
      ['Folder', 'Files', 'Lines', 'Test lines', 'Branches', 'Commits', 'High', 'Medium', 'Low'],
      folders.folders.map((row) => [
        code(row.folder),
        row.files,
        row.lines,
        row.testLines,
        row.branches,
        row.commits,
        row.high,
        row.medium,
        row.low,
      ]),
    ),
    '## Languages',
    '',
    ...table(
      ['Language', 'Files', 'Lines'],
      sizes.measures.languages.slice(0, 15).map((row) => [plain(row.language), row.files, row.lines]),
    ),
    ...(history.hotspots.length > 0
      ? [
          '## Where changes gather',
          '',
          ...table(
            ['File', 'Commits', 'Branches', 'Authors', 'Last change'],
            history.hotspots
              .slice(0, 10)
              .map((row) => [code(row.file), row.commits, row.branches, row.authors, plain(row.lastChange)]),
          ),
        ]
      : []),
    ...(complexity.measures.hardest.length > 0
      ? [
          '## Hardest functions',
          '',
          ...table(
            ['Function', 'Where', 'Cognitive', 'Branches', 'Lines'],
            complexity.measures.hardest
              .slice(0, 10)
              .map((row) => [
                code(row.name),
                code(`${row.file}:${row.line}`),
                row.cognitive,
                row.cyclomatic - 1,
                row.lines,
              ]),
          ),
        ]
      : []),
    '## Findings',
    '',
    ...rank.findings.slice(0, MAX_LISTED).flatMap(item),
    ...(rank.total > MAX_LISTED
      ? [`The other ${plural(rank.total - MAX_LISTED, 'finding')} are in \`findings.json\`.`, '']
      : []),
    '## How to read this',
    '',
    ...[...HOW, ...rank.notes].map((note) => `- ${plain(note)}`),
    '',
  ];
  return lines.join('\n');
}

function item(finding: RankedFinding): readonly string[] {
  const place = finding.line === null ? finding.file : `${finding.file}:${finding.line}`;
  return [
    `${finding.rank}. **${finding.severity}** ${kindTitle(finding.kind)}, ${code(place)}: ${plain(finding.title)}`,
    `   ${plain(finding.reason)} *(${finding.effort})*`,
    '',
  ];
}

/** @param rows  texts are Markdown already: `plain` or `code` made them */
function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): readonly string[] {
  if (rows.length === 0) return ['Nothing to show.', ''];
  const cell = (value: string | number) => (typeof value === 'number' ? value.toLocaleString('en-US') : value);
  return [
    `| ${columns.join(' | ')} |`,
    `| ${columns.map((_, index) => (typeof rows[0]?.[index] === 'number' ? '---:' : '---')).join(' | ')} |`,
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
    '',
  ];
}

/** One line, with every character that Markdown or HTML could read as markup escaped. */
export function plain(text: string): string {
  return oneLine(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\`*_[\]|~#!>]/g, '\\$&');
}

/** A code span; a name that could end it, or be taken for markup by a careless reader, is escaped text instead. */
export function code(text: string): string {
  return /[`<>&|]/.test(text) ? plain(text) : `\`${oneLine(text)}\``;
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�');
}
