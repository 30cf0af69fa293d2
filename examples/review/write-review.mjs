/** Puts an agent's verdicts beside the findings they are about. What an agent wrote is text here, never markup. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @param {{ input: { with: { reviewer: string, out: string }, needs: Record<string, any> } }} task */
export default async function writeReview({ input }) {
  const { reviewer, out } = input.with;
  const { findings, total } = input.needs.findings;
  const answer = input.needs[`${reviewer}-review`];
  const verdicts = new Map(answer.verdicts.map((verdict) => [verdict.rank, verdict]));
  const rows = findings.map((finding) => ({ finding, verdict: verdicts.get(finding.rank) }));
  await writeWhole(join(out, 'review.md'), reviewText(reviewer, answer.summary, rows));
  const holding = rows.filter(({ verdict }) => verdict?.verdict === 'holds').length;
  return {
    headline: `${holding} of ${rows.length} findings hold, says ${reviewer} (${total} were found)`,
    table: {
      columns: ['verdict', 'severity', 'where', 'finding'],
      rows: rows.map(({ finding, verdict }) => [
        verdict?.verdict ?? 'no answer',
        finding.severity,
        oneLine(placeOf(finding)),
        oneLine(finding.title).slice(0, 80),
      ]),
    },
    files: { review: join(out, 'review.md') },
  };
}

function reviewText(reviewer, summary, rows) {
  return [
    `# What ${plain(reviewer)} says of the audit`,
    '',
    plain(summary),
    '',
    ...rows.flatMap(({ finding, verdict }) => [
      `## ${finding.rank}. ${plain(finding.title)}`,
      '',
      `${plain(placeOf(finding))} · ${finding.severity} · **${plain(verdict?.verdict ?? 'no answer')}**`,
      '',
      ...(verdict === undefined ? [] : [plain(verdict.because), '']),
      ...(verdict?.change ? [`Change: ${plain(verdict.change)}`, ''] : []),
    ]),
  ].join('\n');
}

function placeOf({ file, line }) {
  return line === null ? file : `${file}:${line}`;
}

function plain(text) {
  return oneLine(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\`*_[\]|~#!>]/g, '\\$&');
}

/** Control and direction characters would be obeyed by a terminal; they become visible instead. */
function oneLine(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, (run) => (/^[\r\n\t]+$/.test(run) ? ' ' : '\uFFFD'));
}

async function writeWhole(path, text) {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(`${path}.${process.pid}.tmp`, text);
  await rename(`${path}.${process.pid}.tmp`, path);
}
