/** `cadre doctor`: whether this machine and this project have what runs need, and what to do where they don't. */
import { openConsole, type SharedOptions } from '../console.ts';
import { exitCodes } from '../exit-codes.ts';
import { stateFolder } from '../folders.ts';
import { type Check, checkHealth } from '../health.ts';
import type { Host } from '../host.ts';
import type { Span } from '../view/spans.ts';
import { renderSpans } from '../view/spans.ts';

export async function doctor(host: Host, options: SharedOptions): Promise<number> {
  const console = openConsole(host, options);
  const checks = await checkHealth({
    environment: host.environment,
    platform: host.platform,
    nodeVersion: host.nodeVersion,
    pid: host.pid,
    projectFolder: console.projectFolder,
    stateFolder: stateFolder(host),
    resumeCommand: (id) => console.command('resume', id),
    cancelCommand: (id) => console.command('cancel', id),
  });
  const isWell = checks.every((check) => check.status !== 'bad');
  if (console.json) console.print(JSON.stringify({ healthy: isWell, checks }, null, 2));
  else
    for (const line of checkLines(checks)) console.print(renderSpans(line, Number.POSITIVE_INFINITY, console.colors));
  return isWell ? exitCodes.succeeded : exitCodes.tasksFailed;
}

const signs: Readonly<Record<Check['status'], Span>> = {
  good: ['green', '✔'],
  note: ['dim', '·'],
  bad: ['red', '✖'],
};

function checkLines(checks: readonly Check[]): readonly (readonly Span[])[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines: (readonly Span[])[] = checks.map(({ status, name, detail }) => [
    signs[status],
    ` ${name.padEnd(width)}  `,
    detail,
  ]);
  const advice = checks.flatMap(({ status, advice }) => (advice === undefined ? [] : [{ status, advice }]));
  lines.push([]);
  if (!checks.some(({ status }) => status === 'bad')) lines.push(['Ready to run.']);
  for (const { status, advice: text } of advice) lines.push([signs[status], ' ', text]);
  return lines;
}
