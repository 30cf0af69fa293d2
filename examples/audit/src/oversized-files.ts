/** Answers: which files are too large to hold in one's head, or too large to be in version control at all? */
import type { Collected } from './collect.ts';
import type { FilesFacts } from './file-facts.ts';
import { type Analysis, analysis, type Finding, plural } from './finding.ts';
import { compareText } from './path.ts';
import { roleOf } from './role.ts';
import type { TextFacts } from './text-facts.ts';

export interface OversizedMeasures {
  readonly files: number;
  readonly lines: number;
  readonly codeLines: number;
  readonly languages: readonly { readonly language: string; readonly files: number; readonly lines: number }[];
  /** Lines of each code file. */
  readonly linesOf: Readonly<Record<string, number>>;
  readonly largest: readonly { readonly file: string; readonly lines: number }[];
}

const LONG = 500;
const LONG_TEST = 1_000;
const LARGE_BYTES = 1024 * 1024;

export function analyseOversizedFiles(needs: {
  readonly files: FilesFacts;
  readonly text: Collected<TextFacts>;
}): Analysis<OversizedMeasures> {
  const kinds = new Map(needs.files.files.map((file) => [file.path, file.kind]));
  const written = needs.text.files.filter(
    (file) => !file.generated && ['source', 'support', 'test', 'config'].includes(roleOf(file.path)),
  );
  const code = written.filter((file) => ['script', 'code', 'style', 'markup'].includes(kinds.get(file.path) ?? ''));
  const long = code.filter((file) => file.code > (roleOf(file.path) === 'test' ? LONG_TEST : LONG)).map(longFile);
  const large = needs.files.files
    .filter((file) => file.bytes > LARGE_BYTES && file.role !== 'generated')
    .map((file) => largeFile(file.path, file.bytes));
  const byLanguage = new Map<string, { files: number; lines: number }>();
  for (const file of needs.text.files) {
    const known = byLanguage.get(file.language) ?? { files: 0, lines: 0 };
    byLanguage.set(file.language, { files: known.files + 1, lines: known.lines + file.lines });
  }
  return analysis(
    [...long, ...large],
    {
      files: needs.files.files.length,
      lines: needs.text.files.reduce((sum, file) => sum + file.lines, 0),
      codeLines: code.reduce((sum, file) => sum + file.code, 0),
      languages: [...byLanguage]
        .map(([language, counts]) => ({ language, ...counts }))
        .sort((a, b) => b.lines - a.lines || compareText(a.language, b.language)),
      linesOf: Object.fromEntries(code.map((file) => [file.path, file.lines])),
      largest: [...code]
        .sort((a, b) => b.lines - a.lines || compareText(a.path, b.path))
        .slice(0, 20)
        .map((file) => ({ file: file.path, lines: file.lines })),
    },
    [...needs.files.notes, ...needs.text.notes],
  );
}

function longFile(file: TextFacts): Finding {
  const isTest = roleOf(file.path) === 'test';
  return {
    kind: 'oversized-file',
    severity: isTest ? 'low' : file.code > 4 * LONG ? 'high' : file.code > 2 * LONG ? 'medium' : 'low',
    file: file.path,
    line: null,
    title: `${plural(file.code, 'line')} of code in one file`,
    reason: `More than ${isTest ? LONG_TEST : LONG}: it holds several subjects, and changes to them meet in merges.`,
    effort: file.code > 2 * LONG ? 'days' : 'hours',
    degree: Math.min(1, file.code / (10 * LONG)),
  };
}

function largeFile(path: string, bytes: number): Finding {
  return {
    kind: 'oversized-file',
    severity: bytes > 10 * LARGE_BYTES ? 'medium' : 'low',
    file: path,
    line: null,
    title: `${(bytes / 1024 / 1024).toFixed(1)} MiB in one file`,
    reason: 'Every clone carries it, and each new version of it, for good.',
    effort: 'hours',
  };
}
